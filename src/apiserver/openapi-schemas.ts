// The schemas of built-in types for OpenAPI v3, made from the field tables. kubectl computes its patches from the
// merge keys in them, and `kubectl explain` shows their fields.
import { type Field, fieldsOf, type Shape } from './field-table.ts'
import type { KindDef } from './model.ts'

export type Schema = Readonly<Record<string, unknown>>

const leaves: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  time: { type: 'string', format: 'date-time' },
  microTime: { type: 'string', format: 'date-time' },
  bytes: { type: 'string', format: 'byte' },
  quantity: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity' },
  intOrString: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.util.intstr.IntOrString' },
  raw: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
}

/** The components behind the two kinds of values that may be a text or a number. */
const either: Readonly<Record<string, Schema>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
}

const metaTypes = new Set([
  'ObjectMeta',
  'OwnerReference',
  'ManagedFieldsEntry',
  'LabelSelector',
  'LabelSelectorRequirement',
  'Condition',
])

/** The name that a built-in type has among the components of a document. */
export function componentName(type: string, def: Pick<KindDef, 'group' | 'version'>): string {
  if (metaTypes.has(type)) return `io.k8s.apimachinery.pkg.apis.meta.v1.${type}`
  const group = def.group === '' ? 'core' : (def.group.split('.')[0] ?? '')
  return `io.k8s.api.${group}.${def.version}.${type}`
}

/** A reference to a component. */
export const refTo = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })

type Naming = (type: string) => string

function schemaOf(shape: Shape, naming: Naming): Schema {
  switch (shape.is) {
    case 'leaf':
      return leaves[shape.of] ?? {}
    case 'object':
      return refTo(naming(shape.of))
    case 'list':
      return { type: 'array', items: schemaOf(shape.of, naming) }
    default:
      return { type: 'object', additionalProperties: schemaOf(shape.of, naming) }
  }
}

function strategyOf(field: Field): Schema {
  const strategies = [
    field.mergeKey === undefined ? '' : 'merge',
    field.retainKeys ? 'retainKeys' : '',
    field.replaced ? 'replace' : '',
  ].filter(Boolean)
  return {
    ...(field.mergeKey ? { 'x-kubernetes-patch-merge-key': field.mergeKey } : {}),
    ...(strategies.length > 0 ? { 'x-kubernetes-patch-strategy': strategies.join(',') } : {}),
  }
}

function propertyOf(field: Field, naming: Naming): Schema {
  const schema = schemaOf(field.shape, naming)
  // Whatever stands beside a reference is ignored, so it goes around it.
  return { ...('$ref' in schema ? { allOf: [schema] } : schema), ...strategyOf(field) }
}

const typeMeta = { apiVersion: { type: 'string' }, kind: { type: 'string' } }

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

function objectSchema(type: string, isKind: boolean, naming: Naming): Schema {
  const fields = [...(fieldsOf(type)?.fields.values() ?? [])]
  const own = Object.fromEntries(fields.map(field => [field.name, propertyOf(field, naming)]))
  const properties = Object.fromEntries(Object.entries(isKind ? { ...typeMeta, ...own } : own).sort(byName))
  const required = fields.filter(field => field.required).map(field => field.name)
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) }
}

const typesIn = (shape: Shape): string[] =>
  shape.is === 'object' ? [shape.of] : shape.is === 'leaf' ? [] : typesIn(shape.of)

/** Adds the schema of a built-in type and of all types below it to the components of a document. */
export function addType(schemas: Record<string, Schema>, of: string, def: KindDef): void {
  const naming = (type: string): string => componentName(type, def)
  Object.assign(schemas, either)
  const queue = [of]
  for (let type = queue.pop(); type !== undefined; type = queue.pop()) {
    const name = naming(type)
    if (schemas[name]) continue
    schemas[name] = objectSchema(type, type === def.kind, naming)
    for (const field of fieldsOf(type)?.fields.values() ?? []) queue.push(...typesIn(field.shape))
  }
}

/** Adds the schema of a built-in kind to the components of a document. */
export function addKind(schemas: Record<string, Schema>, def: KindDef): void {
  addType(schemas, def.kind, def)
  const name = componentName(def.kind, def)
  schemas[name] = { ...schemas[name], 'x-kubernetes-group-version-kind': [gvkOf(def)] }
}

/** Group, version and kind as OpenAPI extensions name them. */
export const gvkOf = ({ group, version, kind }: KindDef): Readonly<Record<string, string>> => ({ group, version, kind })
