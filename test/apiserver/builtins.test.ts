// The built-in kinds: what they refuse and in which words, what they do not know, how they are named.
import { test } from 'tap'
import { allocateClusterIP, builtInKinds } from '../../src/apiserver/builtins.ts'
import { type Cause, StatusError } from '../../src/apiserver/model.ts'
import type { KubeObject } from '../../src/contract.ts'
import { frozen, kindOf, recorded } from './fixtures/read.ts'

type Create = Readonly<{ sent: KubeObject; repeat?: number; message?: string; causes?: readonly Cause[] }>
type Update = Readonly<{ path: string; value: unknown; old: KubeObject; causes: readonly Cause[] }>
type Tree = Record<string, unknown> & { metadata: Record<string, unknown> }

const uid = /[0-9a-f]{8}-[0-9a-f-]{27}/g

const lines = (causes: readonly Cause[]): string[] =>
  causes.map(({ reason, field, message }) => `${reason} ${field}: ${message}`.replaceAll(uid, 'UID').trimEnd())

/** The parts of values that the real server shows in the names of its own source code; we show our JSON. */
const plainly = (texts: readonly string[]): string[] =>
  texts.map(text =>
    text.replace(/(Invalid value: )(?:\{.*(?:privileged|Privileged).*\}|TEMPLATE|\{"metadata".*\})(: )/, '$1…$2'),
  )

function prepared(object: KubeObject): KubeObject {
  const def = kindOf(object)
  const draft = structuredClone(object) as unknown as Tree
  if (def.namespaced) draft.metadata['namespace'] ??= 't'
  draft.metadata['uid'] ??= '00000000-0000-4000-8000-000000000000'
  def.defaults?.(draft)
  return draft as unknown as KubeObject
}

function refusal(run: () => readonly Cause[]): string[] {
  try {
    return lines(run())
  } catch (error) {
    if (error instanceof StatusError) return [error.message]
    throw error
  }
}

const causes = (object: KubeObject, old?: KubeObject): readonly Cause[] =>
  kindOf(object).validate?.(frozen(prepared(object)), old && frozen(prepared(old))) ?? []

for (const [i, { sent, repeat, message, causes: wanted = [] }] of recorded<Create>('refused-creates').entries()) {
  const about = wanted[0]?.field ?? (message === undefined ? 'nothing' : 'a value of the wrong type')
  test(`creating a ${sent.kind} (${i}) is refused because of ${about}, as on the real server`, async t => {
    const list = sent['endpoints'] as unknown[] | undefined
    const object = repeat === undefined ? sent : { ...sent, endpoints: Array(repeat).fill(list?.[0]) }
    const got = refusal(() => causes(object))
    t.strictSame(plainly(got), plainly(message === undefined ? lines(wanted) : [message]))
  })
}

function changed(old: KubeObject, path: string, value: unknown): KubeObject {
  const object = structuredClone(old)
  const keys = path.split('.')
  let here = object as Record<string, unknown>
  for (const key of keys.slice(0, -1)) {
    here[key] ??= {}
    here = here[key] as Record<string, unknown>
  }
  const last = keys.at(-1) ?? ''
  if (value === null) delete here[last]
  else here[last] = value
  return object
}

for (const { path, value, old, causes: wanted } of recorded<Update>('refused-updates')) {
  const verdict = wanted.length === 0 ? 'allowed' : 'refused'
  test(`${path} of a ${old.kind} made ${JSON.stringify(value)} is ${verdict}, as on the real server`, async t => {
    const got = refusal(() => causes(changed(old, path, value), old))
    t.strictSame(plainly(got), plainly(lines(wanted)))
  })
}

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
const deployment = (spec: unknown): KubeObject =>
  ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec }) as KubeObject

// biome-ignore format: a table reads best as a table
const misspelt: Readonly<Record<string, [object: unknown, paths: readonly string[]]>> = {
  'a member of the spec': [{ replica: 1 }, ['spec.replica']],
  'a member of a container': [{ template: { spec: { containers: [{ name: 'c' }, { imagee: 'x' }] } } }, ['spec.template.spec.containers[1].imagee']],
  'the wrong case': [{ Replicas: 1 }, ['spec.Replicas']],
  'two at once': [{ a: 1, strategy: { b: 2 } }, ['spec.a', 'spec.strategy.b']],
  'a label of any name is known': [{ template: { metadata: { labels: { 'x.y/z': 'w' } } } }, []],
  'everything that is right': [{ replicas: 1, template }, []],
}

for (const [name, [spec, paths]] of Object.entries(misspelt)) {
  test(`unknown fields: ${name}`, async t => {
    const object = deployment(spec)
    t.strictSame(kindOf(object).unknownFields?.(object), paths)
  })
}

test('unknown fields are gone after reading', async t => {
  const draft = structuredClone(deployment({ bogus: 1, replicas: 2 })) as unknown as Record<string, unknown>
  kindOf(deployment({})).defaults?.(draft)
  t.notMatch(JSON.stringify(draft), 'bogus')
  t.match(draft, { spec: { replicas: 2 } })
})

test('every kind has a name, a plural and columns of its own', async t => {
  const plurals = new Set(builtInKinds.map(def => `${def.plural}.${def.group}`))
  t.equal(plurals.size, builtInKinds.length)
  const shortNames = builtInKinds.flatMap(def => def.shortNames)
  t.equal(new Set(shortNames).size, shortNames.length, 'short names are unique')
  for (const def of builtInKinds) t.ok(def.columns.length >= 2, `${def.kind} has columns`)
})

test('cluster addresses lie in 10.96/16, never on loopback, and never twice', async t => {
  const addresses = Array.from({ length: 5000 }, (_, nth) => allocateClusterIP(nth))
  t.equal(new Set(addresses).size, addresses.length)
  t.ok(addresses.every(address => /^10\.96\.\d{1,3}\.\d{1,3}$/.test(address)))
})
