// One reconcile, top to bottom: look once, decide purely, act last. Read this file first.
import type { Pod } from '../api/kube.ts'
import type { Rollout } from '../api/rollout.ts'
import type { RolloutStatus } from '../api/rollout-status.ts'
import {
  type Action,
  type EventNote,
  type Heard,
  type KubeObject,
  type Millis,
  type Ref,
  refOf,
  sameJson,
} from '../contract.ts'
import type { Clock, Fetch, Key, Kube, Log, Lookup, Result } from '../ports.ts'
import { planAhead } from './ahead.ts'
import { planCollision } from './collision.ts'
import { type Attempt, endedAttempt } from './duration.ts'
import { needsMetadata } from './ephemeral.ts'
import { metBy } from './met.ts'
import { type Observed, observe } from './observe.ts'
import { type Ask, announced } from './part.ts'
import { type Known, type Plan, planRollout } from './plan.ts'
import { planRefusedSet } from './refused-set.ts'
import { needsRestart } from './restarter.ts'
import { selectorText } from './selector.ts'
import { statusPatch } from './status.ts'

/** All that a reconcile may touch. */
export type Ports = Readonly<{
  kube: Kube
  cache: Lookup
  clock: Clock
  log: Log
  /** How step plugins are asked. */
  fetch: Fetch
  /** Records a Kubernetes Event about the rollout; never waits, never throws. */
  record(about: KubeObject, event: EventNote): void
  /** Why something that the rollout names cannot be read. */
  unseen?: string
  /** Told of an attempt to release a version that is over. */
  ended?(attempt: Attempt): void
}>

export async function reconcile(key: Key, ports: Ports, known: Known): Promise<Result> {
  const looked = observe(key, ports.cache)
  if (!looked) return {} // deleted; owner references clean up
  const { unseen } = ports
  const seen = unseen === undefined ? await withPods(looked, ports) : { ...looked, unseen }
  const done = await planAndPerform(seen, ports, known)
  if (!done) return { recheckAt: ports.clock.now() + SOON } // the world is not as it was seen
  const { plan, version } = done
  await writeStatus(plan, seen, version, ports) // last, and only if it differs: a crash repeats work, never skips it
  for (const event of plan.events) ports.record(seen.rollout, event)
  const attempt = plan.status && attemptOver(seen, plan.status, ports.clock.now())
  if (attempt) ports.ended?.(attempt)
  return plan.recheckAt === undefined ? {} : { recheckAt: plan.recheckAt }
}

type Performed = Readonly<{
  /** The resourceVersion of the rollout after the actions. */
  version: string
  /** Pods that the API server did not let us evict. */
  refused: readonly string[]
}>

/** The plan of the pass, once its actions are performed; undefined when the status has moved under us. A plan that would
 * only evict, and may not, is made anew without these pods: a restart that is blocked must not hold up all the rest. */
async function planAndPerform(seen: Observed, ports: Ports, known: Known) {
  const unevictable = new Set<string>()
  for (;;) {
    const plan = await planHeard({ ...seen, unevictable }, ports, known)
    const done = await performAll(plan, seen, ports)
    if (!done) return undefined
    const isBlocked = done.refused.length > 0 && done.refused.length === plan.actions.length
    if (!isBlocked || plan.status) return { plan, version: done.version }
    for (const name of done.refused) unevictable.add(name)
  }
}

/** An answer may lead to another question, but not for ever. */
const MOST_ROUNDS = 3

/** The plan; where it has questions, the plan that knows the answers. */
async function planHeard(seen: Observed, ports: Ports, known: Known): Promise<Plan> {
  let plan = planAhead(seen, known, ports.clock.now())
  const heard = new Map<string, Heard>()
  for (let round = 0; plan.asks && round < MOST_ROUNDS; round += 1) {
    const asks = new Map(plan.asks.map(ask => [ask.key, ask]))
    await Promise.all([...asks].map(async ([key, ask]) => heard.set(key, await hear(ask, seen.namespace, ports))))
    plan = planRollout({ ...seen, heard }, known, ports.clock.now())
  }
  return plan
}

async function hear(ask: Ask, namespace: string, { fetch, kube }: Ports): Promise<Heard> {
  try {
    if ('request' in ask) return await fetch(ask.request)
    const { list, labelSelector } = ask
    const { items } = await kube.list(list, { namespace, ...(labelSelector ? { labelSelector } : {}) })
    return { status: 200, headers: {}, body: JSON.stringify(items) }
  } catch (error) {
    const { code: status, message } = error as { code?: unknown; message: string }
    // What the API server refuses is an answer, too.
    return 'list' in ask && typeof status === 'number' ? { status, headers: {}, body: message } : { error: message }
  }
}

const attemptOver = (seen: Observed, next: RolloutStatus, now: Millis): Attempt | undefined => {
  const before = seen.status.duration
  return before ? endedAttempt(seen, { ...next, duration: before }, next.duration ?? undefined, now) : undefined
}

/** In milliseconds, should no event bring the next pass before. */
const SOON: Millis = 1000

/** The actions of a plan, one after the other, in order; the first error stops. Undefined when a write to the rollout
 * came back with a status other than the one that was planned on, or when the new ReplicaSet was there already. */
async function performAll(plan: Plan, seen: Observed, ports: Ports): Promise<Performed | undefined> {
  let version = seen.rollout.metadata.resourceVersion ?? ''
  const refused: string[] = []
  for (const action of plan.actions) {
    for (const event of announced(action)) ports.record(seen.rollout, event)
    const after = await performOne(action, seen, ports)
    const fields = { ...about(action), ns: seen.rollout.metadata.namespace, rollout: seen.rollout.metadata.name }
    if (typeof after === 'string') {
      refused.push(fields.name)
      ports.log.info(fields, `${action.why}, but not now: ${after}`)
      continue
    }
    ports.log.info(fields, action.why)
    if (action.event) ports.record(seen.rollout, action.event)
    if (after === FOUND) return undefined
    if (after?.kind !== 'Rollout') continue
    if (!sameJson((after as Rollout).status, seen.rollout.status)) return undefined
    version = after.metadata.resourceVersion ?? version
  }
  return { version, refused }
}

/** A ReplicaSet that was to be created is there; nobody knows yet with how many pods. */
const FOUND = Symbol('found')

/** A disruption budget says "not now", two of them at one pod are an error of the server, and a role may lack the right:
 * whatever the server answers, the restart tries again later. */
const isRefusal = (error: unknown): error is Readonly<{ message: string }> =>
  [403, 429, 500].includes((error as { code?: number }).code ?? 0)

/** The object after the action, if there is one; a text: why the pod may not be evicted. */
async function performOne(
  action: Action,
  seen: Observed,
  ports: Ports,
): Promise<KubeObject | typeof FOUND | string | undefined> {
  try {
    return await ports.kube.perform(action)
  } catch (error) {
    const reason = (error as { reason?: unknown }).reason
    if (action.verb === 'evict' && isRefusal(error)) return error.message
    // A pod that went in the meantime needs no labels.
    if (action.verb === 'patch' && action.ref.kind === 'Pod' && reason === 'NotFound') return undefined
    if (action.verb !== 'create') throw error
    const live = await metBy(error, action.object, ports.kube)
    if (live) return await adopt(action.object, live, seen, ports, error)
    await tellRefusal(action.object, seen, ports, error as Error)
    throw error
  }
}

/** A create met an object of that name: ours, or a collision of hashes. */
async function adopt(wanted: KubeObject, live: KubeObject, seen: Observed, ports: Ports, error: unknown) {
  const collision = planCollision(seen, wanted, live)
  if (!collision) return wanted.kind === 'ReplicaSet' ? FOUND : live
  await ports.kube.perform(collision)
  throw error
}

/** The status says why there is no ReplicaSet of the new version; it is tried again all the same. */
async function tellRefusal(wanted: KubeObject, seen: Observed, ports: Ports, error: Error): Promise<void> {
  const told = planRefusedSet(seen, wanted, error, ports.clock.now())
  if (!told) return
  for (const event of told.events) ports.record(seen.rollout, event)
  for (const action of told.actions) await ports.kube.perform(action)
}

/** Fields that people write too: a patch of these must not overwrite what they did since we looked. */
const SHARED = ['abort', 'abortedAt', 'promoteFull', 'pauseConditions', 'controllerPause', 'currentStepIndex']

async function writeStatus(plan: Plan, seen: Observed, resourceVersion: string, ports: Ports): Promise<void> {
  const patch = plan.status && statusPatch(seen.rollout.status, plan.status)
  if (!patch) return
  const guarded = SHARED.some(field => field in patch)
  await ports.kube.perform({
    verb: 'patch',
    ref: refOf(seen.rollout),
    type: 'merge',
    subresource: 'status',
    patch: { status: patch },
    ...(guarded ? { resourceVersion } : {}),
    why: plan.because.join('; ') || 'the status follows the pods',
  })
}

/** Pods are no part of the cache; they are read live in the few passes that write to them. */
async function withPods(seen: Observed, ports: Ports): Promise<Observed> {
  if (!needsRestart(seen.rollout, ports.clock.now()) && !needsMetadata(seen)) return seen
  const labelSelector = seen.selector ? selectorText(seen.selector) : undefined
  const options = { namespace: seen.rollout.metadata.namespace ?? '', ...(labelSelector ? { labelSelector } : {}) }
  const { items } = await ports.kube.list({ apiVersion: 'v1', kind: 'Pod' }, options)
  return { ...seen, pods: items as readonly Pod[] }
}

const about = (action: Action): Readonly<{ verb: string; kind: string; name: string }> => {
  const ref: Ref = action.verb === 'create' ? refOf(action.object) : action.ref
  return { verb: action.verb, kind: ref.kind, name: ref.name }
}
