// The definitions have exactly the fields, types and names of the reference, and parsing loses nothing.
import { test } from 'tap'
import { analysisRunSpec } from '../../src/api/analysis.ts'
import { crds } from '../../src/api/crd.ts'
import { experimentSpec } from '../../src/api/experiment.ts'
import type { Schema } from '../../src/api/pod-schema.ts'
import { rolloutSpec } from '../../src/api/rollout.ts'
import { rolloutStatus } from '../../src/api/rollout-status.ts'
import { table } from './vectors.ts'

type Field = Readonly<Record<string, unknown>> & Readonly<{ path: string; type?: string }>

type Definition = {
  metadata: { name: string }
  spec: {
    group: string
    names: { kind: string; listKind: string; plural: string; singular: string; shortNames: string[] }
    scope: string
    versions: {
      name: string
      served: boolean
      storage: boolean
      schema: { openAPIV3Schema: Schema }
      subresources?: unknown
      additionalPrinterColumns: { name: string; type: string; jsonPath: string; priority?: number }[]
    }[]
  }
}

const definitions = new Map((crds() as unknown as Definition[]).map(one => [one.spec.names.kind, one] as const))
const versionOf = (kind: string) => definitions.get(kind)!.spec.versions[0]!

/** Every field of a schema in the words of the inventory; nothing below `opaque` paths. */
function fieldsOf(schema: Schema, path: string, isRequired: boolean, opaque: ReadonlyMap<string, string>): Field[] {
  const {
    properties = {},
    items,
    additionalProperties,
    required = [],
  } = schema as {
    properties?: Record<string, Schema>
    items?: Schema
    additionalProperties?: Schema
    required?: string[]
  }
  const opaqueType = opaque.get(path)
  const own = {
    path,
    ...(isRequired ? { required: true } : {}),
    ...(opaqueType === undefined ? facts(schema) : { type: opaqueType }),
  }
  const inside =
    opaqueType === undefined
      ? [
          ...Object.entries(properties).flatMap(([name, child]) =>
            fieldsOf(child, path === '' ? name : `${path}.${name}`, required.includes(name), opaque),
          ),
          ...(items ? fieldsOf(items, `${path}[]`, false, opaque) : []),
          ...(additionalProperties ? fieldsOf(additionalProperties, `${path}{}`, false, opaque) : []),
        ]
      : []
  return path === '' ? inside : [own, ...inside]
}

function facts(schema: Schema): Record<string, unknown> {
  const named = {
    type: schema['type'],
    format: schema['format'],
    enum: schema['enum'],
    default: schema['default'],
    pattern: schema['pattern'],
    minimum: schema['minimum'],
    maximum: schema['maximum'],
    intOrString: schema['x-kubernetes-int-or-string'],
    preserveUnknown: schema['x-kubernetes-preserve-unknown-fields'],
    additionalProperties: schema['additionalProperties'] === undefined ? undefined : true,
    listType: schema['x-kubernetes-list-type'],
    mapType: schema['x-kubernetes-map-type'],
    validations: schema['x-kubernetes-validations'],
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
}

const byPath = (fields: readonly Field[]) => Object.fromEntries(fields.map(field => [field.path, field]))

test('the fields of every kind are those of the reference, with type, format, enum, default and list type', async t => {
  const inventory = table<Record<string, Field[]>>('fields')
  if (!inventory) {
    t.pass('not judged', { skip: 'no fields.json in the given folder' })
    return
  }
  t.strictSame([...definitions.keys()].sort(), Object.keys(inventory).sort())
  for (const [kind, wanted] of Object.entries(inventory)) {
    const opaque = new Map(
      wanted.flatMap(({ path, type }) => (type === 'podTemplateSpec' || type === 'jobSpec' ? [[path, type]] : [])),
    )
    const got = fieldsOf(versionOf(kind).schema.openAPIV3Schema, '', false, opaque)
    t.strictSame(byPath(got), byPath(wanted), `${kind}: ${wanted.length} fields`)
  }
})

test('scope, names, columns and subresources of every kind are those of the reference', async t => {
  const kinds = table<Record<string, Record<string, unknown>>>('kinds')
  if (!kinds) {
    t.pass('not judged', { skip: 'no kinds.json in the given folder' })
    return
  }
  for (const [kind, wanted] of Object.entries(kinds)) {
    const { metadata, spec } = definitions.get(kind)!
    const { schema, subresources = {}, additionalPrinterColumns, ...version } = versionOf(kind)
    t.equal(spec.versions.length, 1)
    t.strictSame(
      {
        crdName: metadata.name,
        group: spec.group,
        listKind: spec.names.listKind,
        plural: spec.names.plural,
        preserveUnknownFields: false,
        printerColumns: additionalPrinterColumns.map(({ name, type, jsonPath, priority = 0 }) => ({
          name,
          type,
          jsonPath,
          priority,
        })),
        rootRequired: schema.openAPIV3Schema['required'],
        scope: spec.scope,
        served: version.served,
        shortNames: spec.names.shortNames,
        singular: spec.names.singular,
        storage: version.storage,
        storageVersion: version.name,
        subresources,
      },
      wanted,
      kind,
    )
  }
})

test('every definition fits into the annotation of a client-side apply', async t => {
  for (const [kind, definition] of definitions) t.ok(JSON.stringify(definition).length < 262_144, kind)
})

test('fields that we do not know survive parsing, in any depth', async t => {
  const spec = {
    selector: { matchLabels: { app: 'web' }, ours: 1 },
    template: { metadata: { name: 'kept' }, spec: { containers: [{ name: 'a', odd: true }], odd: [null] } },
    strategy: {
      canary: {
        steps: [{ setWeight: 5, odd: {} }, { pause: {} }],
        trafficRouting: { istio: { virtualService: { name: 'v', odd: 1 } }, odd: { name: 'mesh' } },
      },
    },
    odd: 'x',
  }
  t.strictSame(rolloutSpec.parse(spec), spec)
  const status = { canary: { weights: { canary: { weight: 1 }, stable: { weight: 99 }, odd: 1 } }, odd: null }
  t.strictSame(rolloutStatus.parse(status), status)
  const run = { metrics: [{ name: 'm', odd: 1, provider: { web: { url: 'u', odd: 2 }, odd: {} } }], odd: 1 }
  t.strictSame(analysisRunSpec.parse(run), run)
  const experiment = { templates: [{ name: 'a', odd: 1, selector: { odd: 2 }, template: { odd: 3 } }], odd: 4 }
  t.strictSame(experimentSpec.parse(experiment), experiment)
})

test('a field of the wrong type and a missing required field fail to parse', async t => {
  t.equal(rolloutSpec.safeParse({ replicas: '3' }).success, false)
  t.equal(rolloutSpec.safeParse({ strategy: { blueGreen: {} } }).success, false)
  t.equal(analysisRunSpec.safeParse({}).success, false)
})
