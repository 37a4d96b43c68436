// The schema interpreter, held to what the real API server was seen to answer.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { Cause } from '../../src/apiserver/model.ts'
import { pruneAndDefault, scaleCauses, unsupportedRules, validateSchema } from '../../src/apiserver/schema.ts'

type Json = Record<string, unknown>

const text = { type: 'string' }
const int = { type: 'integer', format: 'int32' }
const object = (properties: Json, more: Json = {}): Json => ({ type: 'object', properties, ...more })

/** Causes as `field: message`, sorted. */
const told = (causes: readonly Cause[]): string[] => causes.map(({ field, message }) => `${field}: ${message}`).sort()

const wrongType = (path: string, wanted: string, found: string): string =>
  `${path}: Invalid value: "${found}": ${path} in body must be of type ${wanted}: "${found}"`

const judged: readonly (readonly [string, Json, unknown, readonly string[]])[] = [
  ['a number where text is wanted', text, 5, [wrongType('x', 'string', 'integer')]],
  ['a fraction where text is wanted', text, 1.5, [wrongType('x', 'string', 'number')]],
  ['text for a number names the type', int, 'a', [wrongType('x', 'integer', 'string')]],
  ['a list for a number', int, [1], [wrongType('x', 'integer', 'array')]],
  ['a boolean for a number names the format', int, true, [wrongType('x', 'int32', '')]],
  [
    'a fraction for an integer',
    int,
    2.5,
    [
      '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in x',
      wrongType('x', 'int32', 'float64'),
    ],
  ],
  [
    'a 32-bit integer out of range',
    int,
    2_147_483_648,
    ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in x'],
  ],
  ['the smallest 32-bit integer', int, -2_147_483_648, []],
  ['null', text, null, [wrongType('x', 'string', 'null')]],
  ['null where it may be', { ...text, nullable: true }, null, []],
  ['anything where nothing is said', { 'x-kubernetes-preserve-unknown-fields': true }, [null], []],
  ['an enum', { ...text, enum: ['a', 'b'] }, 'c', ['x: Unsupported value: "c": supported values: "a", "b"']],
  ['a pattern', { ...text, pattern: '^a+$' }, 'b', [`x: Invalid value: "b": x in body should match '^a+$'`]],
  ['a text too long', { ...text, maxLength: 2 }, 'äöü', ['x: Too long: may not be more than 2 bytes']],
  ['characters, not bytes, are counted', { ...text, maxLength: 3 }, 'äöü', []],
  ['a minimum', { ...int, minimum: 1 }, 0, ['x: Invalid value: 0: x in body should be greater than or equal to 1']],
  ['a minimum that is excluded', { ...int, minimum: 0, exclusiveMinimum: true }, 1, []],
  [
    'too many elements',
    { type: 'array', items: text, maxItems: 1 },
    ['a', 'b'],
    ['x: Too many: 2: must have at most 1 items'],
  ],
  ['an element of the wrong type', { type: 'array', items: text }, ['a', 1], [wrongType('x[1]', 'string', 'integer')]],
  [
    'a set with a duplicate',
    { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    ['a', 'b', 'a', 'a'],
    ['x[2]: Duplicate value: "a"'],
  ],
  ['a missing field', object({ a: text }, { required: ['a'] }), {}, ['x.a: Required value']],
  [
    'a map value of the wrong type',
    { type: 'object', additionalProperties: text },
    { 'a/b': {} },
    [wrongType('x.a/b', 'string', 'object')],
  ],
  [
    'one of several',
    { oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    { a: 1, b: 2 },
    ['<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  ],
  [
    'none of them',
    { not: { required: ['a'] } },
    { a: 1 },
    ['<nil>: Invalid value: "": "x" must not validate the schema (not)'],
  ],
]

test('a value is judged in the words of the real server', async t => {
  for (const [name, schema, value, want] of judged) {
    t.strictSame(told(validateSchema(object({ x: schema }), { x: value })), [...want].sort(), name)
  }
})

const dates: readonly (readonly [unknown, boolean])[] = [
  ['2024-02-29T10:00:00.123456+05:30', true],
  ['2024-01-01t23:59:59z', true],
  ['0000-01-01T00:00:00Z', true],
  ['2024-01-01T00:00:00+99:99', true],
  ['2024-01-01T00:00:00x5Z', true],
  ['2024-01-01T00:00:00Ztx', true],
  [[], true],
  ['2023-02-29T00:00:00Z', false],
  ['2024-01-01T23:59:60Z', false],
  ['2024-01-01T24:00:00Z', false],
  ['2024-01-01T00:00:00', false],
  ['2024-01-01 00:00:00Z', false],
  ['2024-1-1T00:00:00Z', false],
  ['2024-01-01T00:00:00.Z', false],
  ['2024-01-01T00:00:00+0100', false],
  ['2024-01-01T00:00:00Z\n', false],
  ['2024-01-01', false],
  ['', false],
  [3, false],
]

test('a date-time is what the real server takes for one', async t => {
  const schema = object({ x: { type: 'string', format: 'date-time' } })
  for (const [x, want] of dates) t.equal(validateSchema(schema, { x }).length === 0, want, JSON.stringify(x))
})

const keyed = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['port', 'protocol'],
  items: object({ port: int, protocol: { ...text, default: 'TCP' }, name: text }, { required: ['port'] }),
}

test('two elements that become equal by their defaults are duplicates', async t => {
  const schema = object({ x: keyed })
  const { object: filled } = pruneAndDefault(schema, {
    x: [{ port: 1 }, { port: 1, protocol: 'TCP' }, { port: 1, protocol: 'UDP' }],
  })
  t.strictSame(told(validateSchema(schema, filled)), ['x[1]: Duplicate value: {"port":1,"protocol":"TCP"}'])
})

test('defaults, unknown fields and nulls are dealt with where the schema says', async t => {
  const schema = object({
    set: object({
      mode: { ...text, default: 'a' },
      free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    }),
    map: { type: 'object', additionalProperties: text },
    list: { type: 'array', items: object({ a: text }) },
    absent: object({ mode: { ...text, default: 'a' } }),
  })
  const before = {
    apiVersion: 'v1',
    metadata: { labels: { a: null }, odd: 1 },
    set: { mode: null, free: { a: null, b: [null] }, odd: { b: 1 } },
    map: { a: null, 'x.y': 'z' },
    list: [null, { a: null, b: 1 }],
    odd: null,
  }
  const copy = structuredClone(before)
  t.strictSame(pruneAndDefault(schema, before), {
    object: {
      apiVersion: 'v1',
      metadata: { labels: { a: null }, odd: 1 },
      set: { mode: 'a', free: { a: null, b: [null] } },
      map: { 'x.y': 'z' },
      list: [null, {}],
    },
    pruned: ['list[1].b', 'odd', 'set.odd'],
  })
  t.strictSame(before, copy, 'the object given is not changed')
})

test('an own field named __proto__ is a field like others', async t => {
  const schema = object({ x: { type: 'object', additionalProperties: text } })
  const { object: kept } = pruneAndDefault(schema, JSON.parse('{"x":{"__proto__":"a"}}'))
  t.equal(JSON.stringify(kept), '{"x":{"__proto__":"a"}}')
  t.strictSame(told(validateSchema(schema, JSON.parse('{"x":{"__proto__":1}}'))), [
    wrongType('x.__proto__', 'string', 'integer'),
  ])
})

test('an update is not held to what it leaves as it was', async t => {
  const schema = object({
    a: int,
    b: int,
    list: { type: 'array', items: int },
    ports: keyed,
    atomic: object({ a: int, b: int }, { 'x-kubernetes-map-type': 'atomic' }),
  })
  const fields = (object: Json, old: Json): string[] => validateSchema(schema, object, old).map(cause => cause.field)
  t.strictSame(fields({ a: 'x', b: 1 }, { a: 'x' }), [])
  t.strictSame(fields({ a: 'y' }, { a: 'x' }), ['a'])
  t.strictSame(fields({ list: ['x'], b: 1 }, { list: ['x'] }), [])
  t.strictSame(fields({ list: ['x', 1] }, { list: ['x'] }), ['list[0]'], 'a changed list is judged as a whole')
  const port = { port: 1, protocol: 'TCP', name: 5 }
  t.strictSame(
    fields({ ports: [{ port: 2, protocol: 'TCP' }, port] }, { ports: [port] }),
    [],
    'elements are found by key',
  )
  t.strictSame(
    fields({ atomic: { a: 'x', b: 1 } }, { atomic: { a: 'x' } }),
    ['atomic.a'],
    'an atomic object is judged as a whole',
  )
  t.strictSame(fields({ ports: [port, port, { port: 3 }] }, { ports: [port, port] }), [], 'old duplicates may stay')
})

const immutable = object({
  x: { ...object({ a: text }), 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'stays' }] },
  y: int,
})

test('a rule that compares with the old object binds changes only', async t => {
  const causes = (object: Json, old?: Json): string[] => told(validateSchema(immutable, object, old))
  t.strictSame(causes({ x: { a: '1' } }), [], 'create')
  t.strictSame(causes({ x: { a: '1' } }, { x: { a: '1' } }), [], 'no change')
  t.strictSame(causes({ x: { a: '2' } }, { x: { a: '1' } }), ['x: Invalid value: stays'], 'a change')
  t.strictSame(causes({}, { x: { a: '1' } }), [], 'removed')
  t.strictSame(causes({ x: { a: '1' } }, {}), [], 'added')
})

test('rules are not looked at while the object is malformed, and the answer says so', async t => {
  const causes = validateSchema(immutable, { x: { a: '2' }, y: 'text' }, { x: { a: '1' } })
  t.strictSame(
    causes.map(({ field, message }) => `${field}: ${message}`),
    [
      wrongType('y', 'integer', 'string'),
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    ],
  )
})

test('a rule that cannot be evaluated here is named, in any depth', async t => {
  const rule = (text: string): Json => ({ ...object({}), 'x-kubernetes-validations': [{ rule: text }] })
  const schema = object({ a: { type: 'array', items: rule('size(self) < 3') }, b: rule(' self == oldSelf ') })
  t.strictSame(unsupportedRules(schema), ['size(self) < 3'])
  for (const crd of crds()) {
    const { versions } = crd['spec'] as { versions: { schema: { openAPIV3Schema: Json } }[] }
    t.strictSame(unsupportedRules(versions[0]!.schema.openAPIV3Schema), [], crd.metadata.name)
  }
})

test('the scale subresource wants whole numbers of 32 bits that are not negative', async t => {
  const scale = { specReplicas: '.spec.replicas', statusReplicas: '.status.HPAReplicas', selector: '.status.selector' }
  const causes = (object: Json): string[] => told(scaleCauses(scale, object))
  const accessor = (shown: string, found: string, wanted = 'int64'): string =>
    `.spec.replicas: Invalid value: 0: .spec.replicas accessor error: ${shown} is of the type ${found}, expected ${wanted}`
  t.strictSame(causes({}), [])
  t.strictSame(causes({ spec: { replicas: 0 }, status: { HPAReplicas: 3, selector: 'a=b' } }), [])
  t.strictSame(causes({ spec: { replicas: -1 } }), [
    '.spec.replicas: Invalid value: -1: should be a non-negative integer',
  ])
  t.strictSame(causes({ spec: { replicas: 2_147_483_648 } }), [
    '.spec.replicas: Invalid value: 2147483648: should be less than or equal to 2147483647',
  ])
  t.strictSame(causes({ spec: { replicas: 2.5 } }), [accessor('2.5', 'float64')])
  t.strictSame(causes({ spec: { replicas: '3' } }), [accessor('3', 'string')])
  t.strictSame(causes({ spec: { replicas: { b: [null], a: 1 } } }), [
    accessor('map[a:1 b:[<nil>]]', 'map[string]interface {}'),
  ])
  t.strictSame(causes({ spec: 'x' }), [accessor('x', 'string', 'map[string]interface{}')])
  t.strictSame(scaleCauses(undefined, { spec: { replicas: -1 } }), [])
})
