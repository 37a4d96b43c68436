// OpenAPI v3: the index of documents, and one document per group and version with schemas and operations.
import type { KindDef } from './model.ts'
import { addKind, addType, componentName, gvkOf, refTo, type Schema } from './openapi-schemas.ts'

type Document = Record<string, unknown>

/** `api/v1` or `apis/GROUP/VERSION`: where the kinds of a group and version are served. */
const rootOf = ({ group, version }: KindDef): string => (group === '' ? `api/${version}` : `apis/${group}/${version}`)

/** The answer to /openapi/v3. `hash` changes whenever a document does: clients keep what they have by it. */
export function openApiIndex(kinds: readonly KindDef[], hash: string): Document {
  const roots = [...new Set(kinds.map(rootOf))].sort()
  const paths = roots.map(root => [root, { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` }])
  return { paths: Object.fromEntries(paths) }
}

const query = (name: string, type: 'string' | 'boolean' | 'integer'): Document => ({
  name,
  in: 'query',
  schema: { type, uniqueItems: true },
})

const writing = ['dryRun', 'fieldManager', 'fieldValidation'].map(name => query(name, 'string'))
const patching = [...writing, query('force', 'boolean')]
const deleting = [
  query('dryRun', 'string'),
  query('gracePeriodSeconds', 'integer'),
  query('propagationPolicy', 'string'),
]
const listing = [
  ...['continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'resourceVersionMatch'].map(name =>
    query(name, 'string'),
  ),
  ...['limit', 'timeoutSeconds'].map(name => query(name, 'integer')),
  ...['allowWatchBookmarks', 'sendInitialEvents', 'watch'].map(name => query(name, 'boolean')),
]

const inPath = (name: string): Document => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', uniqueItems: true },
})

type Call = Readonly<{ def: KindDef; action: string; parameters?: readonly Document[]; bodies?: readonly string[] }>

const patchTypes = ['application/json-patch+json', 'application/merge-patch+json']
const mergingByKey = [...patchTypes, 'application/strategic-merge-patch+json']

function operation({ def, action, parameters = [], bodies = [] }: Call): Document {
  const isPatch = action === 'patch'
  const content = (schema: Schema) => ({ 'application/json': { schema } })
  const schema = refTo(schemaName(def))
  const body = isPatch ? { type: 'object' } : schema
  const requestBody = { required: true, content: Object.fromEntries(bodies.map(type => [type, { schema: body }])) }
  return {
    operationId: `${action}${def.namespaced ? 'Namespaced' : ''}${def.kind}`,
    parameters,
    ...(bodies.length > 0 ? { requestBody } : {}),
    responses: { 200: { description: 'OK', content: content(schema) } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvkOf(def),
  }
}

const schemaName = (def: KindDef): string =>
  def.builtIn
    ? componentName(def.kind, def)
    : `${def.group.split('.').toReversed().join('.')}.${def.version}.${def.kind}`

function pathsOf(def: KindDef): Document {
  const base = `/${rootOf(def)}${def.namespaced ? '/namespaces/{namespace}' : ''}/${def.plural}`
  const place = def.namespaced ? [inPath('namespace')] : []
  const json = ['application/json']
  const item = {
    parameters: [inPath('name'), ...place],
    get: operation({ def, action: 'get' }),
    put: operation({ def, action: 'put', parameters: writing, bodies: json }),
    patch: operation({ def, action: 'patch', parameters: patching, bodies: def.builtIn ? mergingByKey : patchTypes }),
  }
  return {
    [base]: {
      parameters: place,
      get: operation({ def, action: 'list', parameters: listing }),
      post: operation({ def, action: 'post', parameters: writing, bodies: json }),
      delete: operation({ def, action: 'deletecollection', parameters: [...listing, ...deleting] }),
    },
    [`${base}/{name}`]: { ...item, delete: operation({ def, action: 'delete', parameters: deleting }) },
    ...(def.status ? { [`${base}/{name}/status`]: item } : {}),
  }
}

const metadata = { ...refTo('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') }

/** A definition's own schema, with the members that every object has. */
function customSchema(def: KindDef): Schema {
  const own = def.schema ?? { 'x-kubernetes-preserve-unknown-fields': true }
  const properties = own['properties'] as Record<string, unknown> | undefined
  const always = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { allOf: [metadata] } }
  return {
    ...own,
    type: 'object',
    properties: { ...properties, ...always },
    'x-kubernetes-group-version-kind': [gvkOf(def)],
  }
}

/** The answer to /openapi/v3/ROOT, as `api/v1` or `apis/apps/v1`; undefined where nothing is served. */
export function openApiDocument(kinds: readonly KindDef[], root: string): Document | undefined {
  const served = kinds.filter(def => rootOf(def) === root)
  const [first] = served
  if (!first) return undefined
  const schemas: Record<string, Schema> = {}
  for (const def of served) {
    if (def.builtIn) addKind(schemas, def)
    else schemas[schemaName(def)] = customSchema(def)
  }
  if (served.some(def => !def.builtIn)) addType(schemas, 'ObjectMeta', first)
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: first.version },
    paths: Object.assign({}, ...served.map(pathsOf)),
    components: { schemas },
  }
}
