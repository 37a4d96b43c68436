// The Tables that kubectl get prints, compared with those of a real API server (1.37).
import { test } from 'tap'
import { jsonPath } from '../../src/apiserver/json-path.ts'
import type { Column, KindDef } from '../../src/apiserver/model.ts'
import { shortHumanDuration, toTable } from '../../src/apiserver/tables.ts'
import type { KubeObject } from '../../src/contract.ts'
import { kindOf, recorded } from './fixtures/read.ts'

type Cell = string | number | boolean | null
type Definition = Readonly<{ name: string; type: string; format: string; priority: number }>
type Case = Readonly<{ object: KubeObject; columns: readonly Definition[]; cells: Cell[]; conditions?: unknown }>
type Table = Readonly<{
  columnDefinitions: readonly Definition[]
  rows: readonly Readonly<{ cells: Cell[]; conditions?: unknown; object?: KubeObject }>[]
  metadata: unknown
}>

const tableOf = (def: KindDef, objects: readonly KubeObject[], now: number, includeObject = 'None' as const): Table =>
  toTable(def, objects, now, { includeObject }) as unknown as Table

// Ages were taken at some moment of the recording; their form is tested below.
const aged = new Set(['Age', 'Last Seen', 'First Seen', 'Duration'])
const ageless = (cells: readonly Cell[], columns: readonly Definition[]): Cell[] =>
  cells.map((cell, i) => (aged.has(columns[i]?.name ?? '') && /^\d+[smhdy]/.test(String(cell)) ? 'AGE' : cell))

for (const { object, columns, cells, conditions } of recorded<Case>('tables')) {
  test(`${object.kind} ${object.metadata.name} is shown as ${cells.slice(0, 4).join(' ')}`, async t => {
    const { columnDefinitions, rows } = tableOf(kindOf(object), [object], Date.parse('2026-11-24T02:00:00Z'))
    t.strictSame(
      columnDefinitions.map(({ name, type, format, priority }) => ({ name, type, format, priority })),
      columns,
    )
    t.strictSame(ageless(rows[0]?.cells ?? [], columns), ageless(cells, columns))
    t.strictSame(rows[0]?.conditions, conditions)
  })
}

// biome-ignore format: a table reads best as a table
const durations: readonly [ms: number, text: string][] = [
  [-5000, '<invalid>'], [-2000, '<invalid>'], [-1999, '0s'], [-1000, '0s'], [-1, '0s'], [0, '0s'], [999, '0s'], [1000, '1s'],
  [59000, '59s'], [60000, '60s'], [119000, '119s'], [120000, '2m'], [121000, '2m1s'], [180000, '3m'], [599000, '9m59s'],
  [600000, '10m'], [3540000, '59m'], [3600000, '60m'], [10799000, '179m'], [10800000, '3h'], [10860000, '3h1m'],
  [14400000, '4h'], [28799000, '7h59m'], [28800000, '8h'], [86400000, '24h'], [172799000, '47h'], [172800000, '2d'],
  [176400000, '2d1h'], [190000000, '2d4h'], [691199000, '7d23h'], [691200000, '8d'], [31536000000, '365d'],
  [63071999000, '729d'], [63072000000, '2y'], [63158400000, '2y1d'], [94608000000, '3y'], [252287999000, '7y364d'],
  [252288000000, '8y'], [400000000000, '12y'],
]

test('lengths of time have two or three digits', async t => {
  for (const [ms, text] of durations) t.equal(shortHumanDuration(ms), text, `${ms} ms`)
})

const born = '2026-01-02T03:04:05Z'
const rollout: KubeObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Rollout',
  metadata: { name: 'guestbook', namespace: 'ns', creationTimestamp: born, resourceVersion: '7' },
  spec: { replicas: 5, weight: 2.5, paused: true, labels: { 'a.b/c': 'd' } },
  status: {
    conditions: [
      { type: 'A', status: 'no' },
      { type: 'Ready', status: 'yes' },
    ],
    list: [1, 2],
    started: born,
  },
}

const custom = (columns: readonly Omit<Column, 'priority'>[]): KindDef => ({
  ...kindOf({ apiVersion: 'v1', kind: 'ConfigMap' }),
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Rollout',
  builtIn: false,
  columns: columns.map(column => ({ ...column, priority: 0 })),
})

// biome-ignore format: a table reads best as a table
const cells: readonly [type: Column['type'], path: string, cell: Cell][] = [
  ['integer', '.spec.replicas', 5],
  ['integer', '.spec.weight', 2],
  ['number', '.spec.weight', 2.5],
  ['boolean', '.spec.paused', true],
  ['string', '.spec.replicas', '5'],
  ['string', '.spec.missing', null],
  ['integer', '.spec.paused', null],
  ['string', '.status.list', '[1,2]'],
  ['string', '.status.conditions[?(@.type=="Ready")].status', 'yes'],
  ['string', ".status.conditions[?(@.type=='Nope')].status", null],
  ['string', '.status.conditions[1].type', 'Ready'],
  ['string', '.status.conditions[-1].type', 'Ready'],
  ['string', '.status.conditions[*].type', 'A'],
  ['string', '.spec.labels.a\\.b/c', 'd'],
  ['string', ".spec.labels['a.b/c']", 'd'],
  ['date', '.metadata.creationTimestamp', '5m'],
  ['date', '.status.started', '5m'],
  ['date', '.spec.missing', null],
  ['string', '.spec[', null],
]

test('columns of a custom kind are read by JSONPath', async t => {
  const now = Date.parse(born) + 300_000
  for (const [type, jsonPath, cell] of cells) {
    const table = tableOf(custom([{ name: 'X', type, jsonPath }]), [rollout], now)
    t.strictSame(table.rows[0]?.cells, ['guestbook', cell], `${type} ${jsonPath}`)
  }
})

test('a custom kind without columns shows its age', async t => {
  const table = tableOf(custom([]), [rollout], Date.parse(born) + 7_200_000)
  t.strictSame(
    table.columnDefinitions.map(c => c.name),
    ['Name', 'Age'],
  )
  t.strictSame(table.rows[0]?.cells, ['guestbook', '120m'])
})

test('rows carry as much of the object as was asked for', async t => {
  const def = custom([])
  const row = (includeObject: 'None' | 'Metadata' | 'Object') =>
    (toTable(def, [rollout], 0, { includeObject }) as unknown as Table).rows[0]?.object
  t.equal(row('None'), undefined)
  t.strictSame(row('Metadata'), {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: rollout.metadata,
  })
  t.strictSame(row('Object'), rollout)
})

test('a list has its version and its continuation in the metadata', async t => {
  const list = { resourceVersion: '9', continue: 'token', remainingItemCount: 4 }
  t.match(toTable(custom([]), [], 0, { includeObject: 'None', list }), { metadata: list, rows: [] })
})

test('all values of a JSONPath come in order', async t => {
  t.strictSame(jsonPath('{.status.conditions[*].type}')(rollout), ['A', 'Ready'])
  t.strictSame(jsonPath('.status.list[?(@ > 1)]')(rollout), [2])
  t.throws(() => jsonPath('.a[?'))
})
