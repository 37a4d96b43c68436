// What must never be seen, at any change of any object of a rollout's life. Each breach is one sentence.
import type { Rollout } from '../../src/api/rollout.ts'
import type { ObjectEvent } from '../../src/apiserver/controllers/api.ts'
import type { KubeObject } from '../../src/contract.ts'
import { maxSurge, maxUnavailable } from '../../src/rollout/limits.ts'
import type { World } from '../../src/sim/world.ts'

const HASH = 'rollouts-pod-template-hash'
const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const REPLICA_SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet' }
const SERVICE = { apiVersion: 'v1', kind: 'Service' }

type Set = KubeObject & { spec: { replicas: number }; status?: { availableReplicas?: number } }
type Selecting = KubeObject & { spec: { selector: Record<string, string> } }
type Dest = Readonly<{ role: string; weight: number; upstream?: Readonly<{ service: string }> }>
type Route = Readonly<{ total: number; dests: readonly Dest[] }>

/** Steps that take their time, whatever stands. */
const WAITS = ['pause', 'analysis', 'experiment', 'plugin'] as const

/** The controller may decide on what was true this long ago: a watch that lags, a pod that went this very moment. */
const MEMORY = 60_000

/** Sets of an experiment are no versions of the rollout. */
const isOfExperiment = ({ metadata }: KubeObject): boolean =>
  metadata.ownerReferences?.some(owner => owner.kind === 'Experiment') === true

const hashOf = (rs: Set): string => rs.metadata.labels?.[HASH] ?? ''
const available = (rs: Set | undefined): number => rs?.status?.availableReplicas ?? 0

export type Safety = Readonly<{
  /** Breaches so far, each named once. */
  breaches(): readonly string[]
  /** Somebody did something after which counts of pods mean nothing for a while. */
  disturbed(): void
  /** Somebody moved the steps by hand. */
  moved(): void
  stop(): void
}>

/** Watches a world. `isExact`: the controller sees everything at once and pods never go by themselves, so that counts of
 * pods can be held against it. */
export function watchSafety(world: World, isExact: boolean): Safety {
  const found = new Set<string>()
  const before = new Map<string, KubeObject>()
  /** The most pods that were available of a version, newest last. */
  const peaks = new Map<string, { at: number; count: number }[]>()
  let disturbedAt = Number.NEGATIVE_INFINITY
  let movedAt = Number.NEGATIVE_INFINITY
  /** When somebody ceased to want no pod at all. */
  let wantedNoneAt = Number.NEGATIVE_INFINITY

  const now = () => world.clock.now()
  const rollout = () => world.get(ROLLOUT, 'app') as Rollout | undefined
  const sets = () => (world.list(REPLICA_SET, 'default') as readonly Set[]).filter(rs => !isOfExperiment(rs))
  const setOf = (hash: string | undefined) => sets().find(rs => hashOf(rs) === hash)
  const isCalm = () => isExact && now() - disturbedAt > 2 * MEMORY
  const lately = (hash: string | undefined): number =>
    Math.max(
      available(setOf(hash)),
      ...(peaks.get(hash ?? '') ?? []).filter(p => now() - p.at <= MEMORY).map(p => p.count),
    )

  const selected = (name: string): string | undefined =>
    (world.get(SERVICE, name) as Selecting | undefined)?.spec.selector[HASH]

  /** The weight of the canary, as the router was told last. */
  let weightNow = 0
  const served = (rs: Set): string | undefined =>
    weightNow === 100 ? undefined : servicesInRoute(rollout()).find(name => selected(name) === hashOf(rs))

  const sawSet = (rs: Set, old: Set | undefined) => {
    const list = peaks.get(hashOf(rs)) ?? []
    // The count that ended now was true until now.
    peaks.set(hashOf(rs), [
      ...list.filter(p => now() - p.at <= MEMORY),
      ...(old ? [{ at: now(), count: available(old) }] : []),
      { at: now(), count: available(rs) },
    ])
    if (sets().filter(other => hashOf(other) === hashOf(rs)).length > 1) found.add('two ReplicaSets of one template')
    const one = rollout()
    if (!old || !one) return
    if (rs.spec.replicas > old.spec.replicas && isCalm() && isPlain(one)) keepsWithinSurge(one)
    if (rs.spec.replicas >= old.spec.replicas || one.spec.replicas === 0) return
    const isLate = !isExact && now() - wantedNoneAt <= MEMORY
    const service = rs.spec.replicas === 0 && !isLate ? served(rs) : undefined
    if (service) found.add(`${service} leads to a version that was scaled to 0`)
    if (isCalm() && isPlain(one)) keepsAvailability(one, rs, old)
  }

  /** A canary without routing grows to replicas + maxSurge pods in all, however its versions change. */
  const keepsWithinSurge = ({ spec }: Rollout) => {
    const most = (spec.replicas ?? 1) + maxSurge(spec as Parameters<typeof maxSurge>[0])
    const all = sets().reduce((sum, set) => sum + set.spec.replicas, 0)
    if (all > most) found.add(`${all} pods where replicas and maxSurge allow ${most}`)
  }

  /** argo 1.11: a canary without routing keeps replicas - maxUnavailable pods available. */
  const keepsAvailability = (one: Rollout, rs: Set, old: Set) => {
    const count = (size: (set: Set) => number) =>
      sets().reduce((sum, set) => sum + Math.min(available(set), size(set)), 0)
    const after = count(set => set.spec.replicas)
    const until = count(set => (hashOf(set) === hashOf(rs) ? old.spec.replicas : set.spec.replicas))
    const least = (one.spec.replicas ?? 1) - maxUnavailable(one.spec as Parameters<typeof maxUnavailable>[0])
    if (after < until && after < least)
      found.add(`scaling down leaves fewer than ${least} of ${one.spec.replicas} available`)
  }

  const sawService = (service: Selecting, old: Selecting | undefined) => {
    const [from, to] = [old?.spec.selector[HASH], service.spec.selector[HASH]]
    if (from === undefined || to === undefined || from === to) return
    if (!servicesInRoute(rollout()).includes(service.metadata.name)) return
    if (available(setOf(from)) > 0 && lately(to) === 0)
      found.add(`${service.metadata.name} was moved to a version without an available pod`)
  }

  const sawWeight = (weight: number, old: number) => {
    const one = rollout()
    if (!one || one.spec.replicas === 0) return
    const canary = selected('app-canary')
    // One without a hash leads to the pods of every version.
    if (weight > old && canary !== undefined && lately(canary) === 0)
      found.add('weight on a canary without an available pod')
    if (weight >= old || !isCalm()) return
    const share = Math.floor(((one.spec.replicas ?? 1) * (100 - weight)) / 100)
    const stable = lately(selected('app-stable'))
    if (stable < share) found.add(`stable gets ${100 - weight} % of the traffic with ${stable} pods of ${share}`)
  }

  /** What of the traffic went to templates of an experiment that have no pods. */
  const sawExtras = (object: KubeObject, old: KubeObject | undefined) => {
    const known = new Set(extrasIn(old))
    for (const name of extrasIn(object).filter(extra => !known.has(extra))) {
      const hash = selected(name)
      const pods = (world.list(REPLICA_SET, 'default') as readonly Set[]).filter(rs => hashOf(rs) === hash)
      if (isExact && pods.every(rs => available(rs) === 0)) found.add(`${name} gets traffic without an available pod`)
    }
  }

  const sawRollout = (one: Rollout, old: Rollout | undefined) => {
    if (old?.spec.replicas === 0 && one.spec.replicas !== 0) wantedNoneAt = now()
    const weights = one.status?.canary?.weights
    if (weights && sumOf(weights) !== 100) found.add('weights that are not 100 in all')
    const [from, to] = [old?.status?.currentStepIndex, one.status?.currentStepIndex]
    const steps = one.spec.strategy?.canary?.steps ?? []
    const isSame = old?.status?.currentPodHash === one.status?.currentPodHash
    const isSameSpec = old?.status?.currentStepHash === one.status?.currentStepHash
    if (!isSame || !isSameSpec || from === undefined || to === undefined) return
    // Steps that ask for nothing that is not there are done in one go.
    const isSkipped = steps.slice(from + 1, to).some(step => WAITS.some(kind => step[kind] != null))
    if (isSkipped && to < steps.length && now() - movedAt > MEMORY) found.add(`a step was skipped: ${from} to ${to}`)
  }

  const stop = world.server.onEvent(({ type, object }: ObjectEvent) => {
    const key = `${object.kind}/${object.metadata.name}`
    const old = before.get(key)
    if (type === 'DELETED') before.delete(key)
    else before.set(key, object)
    if (type === 'DELETED') return
    if (object.kind === 'ReplicaSet' && !isOfExperiment(object)) sawSet(object as Set, old as Set | undefined)
    if (object.kind === 'Service') sawService(object as Selecting, old as Selecting | undefined)
    if (object.kind === 'Rollout') sawRollout(object as Rollout, old as Rollout | undefined)
    if (object.kind === 'ConfigMap') sawExtras(object, old)
    const [weight, last] = [weightIn(object), old && weightIn(old)]
    weightNow = weight ?? weightNow
    if (weight !== undefined && last !== undefined && weight !== last) sawWeight(weight, last)
  })
  return {
    breaches: () => [...found],
    disturbed() {
      disturbedAt = now()
    },
    moved() {
      movedAt = now()
    },
    stop,
  }
}

/** Services that users' requests go through, whatever the weights are. */
function servicesInRoute(one: Rollout | undefined): readonly string[] {
  const { blueGreen, canary } = one?.spec.strategy ?? {}
  if (blueGreen) return [blueGreen.activeService ?? '']
  return canary?.trafficRouting ? [canary.stableService ?? ''] : []
}

const isPlain = ({ spec }: Rollout): boolean =>
  spec.strategy?.canary !== undefined && !spec.strategy.canary?.trafficRouting

type Weight = Readonly<{ weight: number }>
type Weights = Readonly<{ canary: Weight; stable: Weight; additional?: readonly Weight[] }>
const sumOf = ({ canary, stable, additional = [] }: Weights): number =>
  [canary, stable, ...additional].reduce((sum, one) => sum + one.weight, 0)

/** The percentage that an object of a router gives to the canary; undefined when it is no such object. */
export function weightIn(object: KubeObject): number | undefined {
  const weight = object.metadata.annotations?.['nginx.ingress.kubernetes.io/canary-weight']
  if (object.kind === 'Ingress') return weight === undefined ? undefined : Number(weight)
  const route = routeIn(object)
  if (!route) return undefined
  const canary = route.dests.filter(dest => dest.role === 'canary').reduce((sum, dest) => sum + dest.weight, 0)
  return (canary * 100) / route.total
}

function routeIn(object: KubeObject | undefined): Route | undefined {
  const table = (object?.['data'] as Readonly<Record<string, string>> | undefined)?.['table.json']
  if (object?.kind !== 'ConfigMap' || table === undefined) return undefined
  return (JSON.parse(table) as { routes: readonly Route[] }).routes[0]
}

/** Services of an experiment's templates that the route sends something to. */
const extrasIn = (object: KubeObject | undefined): readonly string[] =>
  (routeIn(object)?.dests ?? [])
    .filter(({ role, weight }) => role === 'extra' && weight > 0)
    .map(({ upstream }) => upstream?.service.split('/').at(-1) ?? '')
