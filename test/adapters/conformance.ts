// What every traffic adapter must do, whatever it writes: run over each adapter's fixtures.
import type { Test } from 'tap'
import {
  type Action,
  type Desired,
  type Finding,
  type KubeObject,
  type Ref,
  refOf,
  type Seen,
  TerminalError,
  type TrafficRouter,
} from '../../src/contract.ts'
import { objectWorld, type World } from '../kit/object-world.ts'

/** One situation: NAME.in.yaml. */
export type Situation = Readonly<{ name: string; config: unknown; want: Desired; world: readonly KubeObject[] }>

/** What a situation leads to: NAME.out.yaml. */
export type Answer = Readonly<{
  actions: readonly Action[]
  error?: Readonly<{ reason: string; message: string }>
  findings?: readonly Finding[]
}>

type Adapter = TrafficRouter<unknown>
type Case = Readonly<{ adapter: Adapter; situation: Situation; config: unknown }>

const WEIGHTS = [0, 1, 5, 33, 50, 99, 100, 0]
const FOREIGN = 'example.com/somebody-elses'

const caseOf = (adapter: Adapter, situation: Situation): Case => ({
  adapter,
  situation,
  config: adapter.config.parse(situation.config),
})

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}

/** Plans on frozen inputs; a TerminalError is an answer, any other throw a defect. */
function plan({ adapter, config }: Case, want: Desired, seen: Seen): Answer {
  const frozen: Seen = ref => deepFreeze(structuredClone(seen(ref)))
  try {
    return { actions: adapter.plan(deepFreeze(config), deepFreeze(structuredClone(want)), frozen) }
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    return { actions: error.actions, error: { reason: error.reason, message: error.message } }
  }
}

/** The answer to a situation in the form of its .out.yaml. */
export function answer(adapter: Adapter, situation: Situation): Answer {
  const one = caseOf(adapter, situation)
  const { seen } = objectWorld(situation.world)
  const findings = adapter.check?.(one.config, situation.want, seen) ?? []
  return { ...plan(one, situation.want, seen), ...(findings.length === 0 ? {} : { findings }) }
}

const act = (world: World, actions: readonly Action[]): void => {
  for (const action of actions) world.apply(action)
}

/** The same traffic at another canary weight, out of the same total; extra destinations keep theirs. */
function atWeight(want: Desired, percent: number): Desired {
  const extras = want.dests.filter(dest => dest.role === 'extra').reduce((sum, dest) => sum + dest.weight, 0)
  const canary = Math.min(Math.round((want.total * percent) / 100), want.total - extras)
  const weight = { canary, stable: want.total - canary - extras }
  const dests = want.dests.map(dest =>
    dest.role === 'canary' || dest.role === 'stable' ? { ...dest, weight: weight[dest.role] } : dest,
  )
  return { ...want, dests }
}

const isShare = (want: Desired): boolean => want.dests.some(dest => dest.role === 'canary')

/** All checks that hold for every situation that is no error. */
export function checkSituation(t: Test, adapter: Adapter, situation: Situation): void {
  const one = caseOf(adapter, situation)
  const first = plan(one, situation.want, objectWorld(situation.world).seen)
  checkReads(t, one)
  checkRbac(t, adapter, first.actions)
  if (first.error) return

  const world = objectWorld(situation.world)
  act(world, first.actions)
  t.same(plan(one, situation.want, world.seen), { actions: [] }, 'a second plan finds nothing to do')
  if (isShare(situation.want)) checkWeights(t, one)
  checkForeign(t, one)
  checkRelease(t, one, world)
}

function checkReads(t: Test, { adapter, situation, config }: Case): void {
  const { owner, namespace } = situation.want
  const named = new Set(adapter.reads(config, { namespace, name: owner.name }).map(ref => JSON.stringify(sorted(ref))))
  const world = objectWorld(situation.world)
  const unnamed: Ref[] = []
  const spy: Seen = ref => {
    if (!named.has(JSON.stringify(sorted(ref)))) unnamed.push(ref)
    return world.seen(ref)
  }
  plan({ adapter, situation, config }, situation.want, spy)
  t.same(unnamed, [], 'a plan looks only at what reads() names')
}

const sorted = (ref: Ref) => [ref.apiVersion, ref.kind, ref.namespace ?? '', ref.name]

function checkRbac(t: Test, adapter: Adapter, actions: readonly Action[]): void {
  const missing = actions.filter(action => {
    const { apiVersion, kind } = action.verb === 'create' ? action.object : action.ref
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : ''
    const resource = kind.toLowerCase() + (kind.endsWith('s') ? 'es' : 's')
    return !adapter.rbac.some(
      rule => rule.apiGroups.includes(group) && rule.resources.includes(resource) && rule.verbs.includes(action.verb),
    )
  })
  t.same(missing, [], 'the rules of the role cover every write')
}

function checkWeights(t: Test, one: Case): void {
  const world = objectWorld(one.situation.world)
  const seen = new Map<number, string>()
  for (const percent of WEIGHTS) {
    const want = atWeight(one.situation.want, percent)
    act(world, plan(one, want, world.seen).actions)
    t.same(plan(one, want, world.seen).actions, [], `weight ${percent} settles in one plan`)
    const state = JSON.stringify(world.objects())
    const canary = want.dests.find(dest => dest.role === 'canary')!.weight
    for (const [other, otherState] of seen) {
      if (other !== canary && otherState === state) t.fail(`weights ${other} and ${canary} leave the same objects`)
    }
    seen.set(canary, state)
  }
}

/** Somebody else's annotation on every object, and an unknown field in the spec of those that are not ours. */
function withForeign(object: KubeObject, uid: string): KubeObject {
  const annotations = { ...object.metadata.annotations, [FOREIGN]: 'kept' }
  const isOurs = object.metadata.ownerReferences?.some(owner => owner.uid === uid) ?? false
  const spec = object['spec'] as Record<string, unknown> | undefined
  return {
    ...object,
    metadata: { ...object.metadata, annotations },
    ...(isOurs || spec === undefined ? {} : { spec: { ...spec, somebodyElses: { deep: [1, 'kept'] } } }),
  }
}

function checkForeign(t: Test, one: Case): void {
  const { situation } = one
  const before = situation.world.map(object => withForeign(object, situation.want.owner.uid))
  const world = objectWorld(before)
  act(world, plan(one, situation.want, world.seen).actions)
  for (const object of before) {
    const after = world.seen(refOf(object))
    const { name } = object.metadata
    t.equal(after?.metadata.annotations?.[FOREIGN], 'kept', `a foreign annotation of ${name} survives`)
    const field = (object['spec'] as Record<string, unknown> | undefined)?.['somebodyElses']
    if (field === undefined) continue
    const now = (after?.['spec'] as Record<string, unknown> | undefined)?.['somebodyElses']
    t.same(now, field, `an unknown field of ${name} survives`)
  }
}

/** Whatever the plan wrote knows for whom; released, it does not take part in the split, and a second release is empty. */
function checkRelease(t: Test, { adapter, situation }: Case, world: World): void {
  const { name } = situation.want.owner
  const held = world.objects().filter(object => adapter.speaksFor(object).includes(name))
  t.ok(held.length > 0 || adapter.name === 'istio', 'what was written says for whom')
  for (const object of held) {
    const actions = adapter.release(object, name)
    checkRbac(t, adapter, actions)
    act(world, actions)
    const left = world.seen(refOf(object))
    if (!left) continue
    const again = adapter.speaksFor(left).includes(name) ? adapter.release(left, name) : []
    t.same(again, [], 'a second release finds nothing to do')
  }
}

/** All checks that need no situation. */
export function checkAdapter(t: Test, adapter: Adapter, file: string, situations: readonly Situation[]): void {
  t.equal(adapter.name.replace(/^.*\//, ''), file, 'the file is named for the adapter')
  for (const nonsense of [undefined, null, 7, 'text', true, [], [{}]]) {
    t.notOk(adapter.config.safeParse(nonsense).success, `config ${JSON.stringify(nonsense)} is refused`)
  }
  for (const { name, config, want } of situations) {
    for (const [key, value] of Object.entries(config as Record<string, unknown>)) {
      const wrong = { ...(config as object), [key]: typeof value === 'string' ? { not: 'text' } : 'text' }
      t.notOk(adapter.config.safeParse(wrong).success, `${name}: a wrong type of ${key} is refused`)
    }
    t.equal(
      want.dests.reduce((sum, dest) => sum + dest.weight, 0),
      want.total,
      `${name}: the weights sum to the total`,
    )
    const nothing = plan(caseOf(adapter, { name, config, want, world: [] }), want, () => undefined)
    t.ok(
      nothing.error !== undefined || nothing.actions.every(action => action.verb === 'create'),
      'an empty world is a named error, or a start from scratch',
    )
  }
}
