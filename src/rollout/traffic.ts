// How much traffic the canary should have now, and the whole state that the routers must show (argo-behaviour 4.2).
import type { ReplicaSet } from '../api/kube.ts'
import type { CanaryWeights } from '../api/rollout-status.ts'
import {
  type Desired,
  type Dest,
  type HeaderRoute,
  type Millis,
  type MirrorRoute,
  type StringMatch,
  sameJson,
} from '../contract.ts'
import { dynamicWeight, isReturningToStable } from './dynamic-stable.ts'
import type { Observed } from './observe.ts'
import { join, NOTHING, normal, type Part, part, warning } from './part.ts'
import { isAborted, type PauseIntent } from './pauses.ts'
import type { Known } from './plan.ts'
import { currentIndex, isFullyPromoted, stepsOf } from './progress.ts'
import { atDesired, hasReachedThreshold } from './replicas.ts'
import { ownerOf } from './revision.ts'
import { planRouters, type Routed, toldByProviders } from './routers.ts'
import { canaryServices, ensureTarget } from './services.ts'
import { availableReplicas, hashOf, podPrefix, revisionOf, sized } from './sets.ts'
import { maxTrafficWeight, weightAt, weightBefore } from './weight.ts'

export type Traffic = Readonly<{
  part: Part
  /** status.canary.weights after this pass. */
  weights: CanaryWeights | undefined
  verified: boolean | null
  /** What providers told of their own objects, for the status. */
  told?: Routed['status']
  /** Nothing was written: stable lacks the pods for what it should get. */
  isHeld?: true
  /** The pass ends here: a router could not be brought to the weight. */
  stop: boolean
}>

type Choice = Readonly<{
  weight: number
  why: string
  /** The canary Service goes back to the stable set: an abort. */
  canaryToStable: boolean
  /** Header and mirror routes are taken away. */
  dropRoutes: boolean
}>

/** Brings the routers to the weight of this pass. Nothing happens without traffic routing. `extras`: what the templates
 * of an experiment get; they are taken from stable's share. */
export function planTraffic(
  seen: Observed,
  known: Known,
  intent: PauseIntent,
  extras: readonly Dest[],
  now: Millis,
): Traffic {
  const old = seen.status.canary?.weights ?? undefined
  if (!seen.spec.strategy?.canary?.trafficRouting)
    return { part: NOTHING, weights: undefined, verified: null, stop: false }
  const choice = chooseWeight(seen, intent)
  const back = choice.canaryToStable ? ensureTarget(seen, canaryServices(seen).canary, seen.stableRS, false) : NOTHING
  if (!canStableCarry(seen, choice.weight))
    return {
      part: back,
      weights: old,
      verified: null,
      told: toldByProviders(seen, known),
      isHeld: true,
      stop: false,
    }
  const desired = desiredTraffic(seen, choice, extras)
  const excess = excessText(desired)
  const isConfirmed = old?.verified === true && sameJson(old, nextWeights(seen, desired, true))
  const routed = excess === undefined ? planRouters(seen, known, desired, choice.why, isConfirmed, now) : UNROUTED
  const problem = excess ?? routed.problem?.message
  if (problem !== undefined) {
    const note = warning('TrafficRoutingError', problem)
    const failed = part({ actions: routed.actions, events: [note], because: [problem], recheckAt: now + 20_000 })
    return { part: join(back, failed), weights: old, verified: null, stop: true }
  }
  const weights = nextWeights(seen, desired, routed.verified)
  const isUnverified = routed.verified === false
  return {
    part: join(
      back,
      part({ actions: routed.actions, because: routed.actions.length > 0 ? [choice.why] : [] }),
      part({ events: weightEvents(old, weights) }),
      routed.waits,
    ),
    weights,
    verified: routed.verified,
    told: routed.status,
    // The old pods stay until the routers confirm that nothing is sent to them.
    stop: isUnverified && choice.weight === desired.total && (currentIndex(seen) ?? 0) >= stepsOf(seen).length,
  }
}

/** The first row of the table in argo-behaviour 4.2 that matches. */
function chooseWeight(seen: Observed, intent: PauseIntent): Choice {
  const { status, newRS, spec } = seen
  const whole = maxTrafficWeight(spec)
  const dynamic = spec.strategy?.canary?.dynamicStableScale === true
  const choice = (weight: number, why: string, more: Partial<Choice> = {}): Choice => ({
    weight,
    why,
    canaryToStable: false,
    dropRoutes: false,
    ...more,
  })
  if (isReturningToStable(seen)) return choice(dynamicWeight(seen), 'returning to stable as its pods come back')
  if (isFullyPromoted(status)) return choice(0, 'fully promoted: all traffic is stable', { dropRoutes: true })
  if (isAborted(status, intent)) {
    const weight = dynamic ? dynamicWeight(seen, true) : 0
    const canaryToStable = weight === 0 && !spec.strategy?.canary?.pingPong
    return choice(weight, 'aborted: traffic goes back to stable', { canaryToStable, dropRoutes: true })
  }
  if (!newRS || availableReplicas(newRS) === 0) return choice(0, 'no canary pod is available yet', { dropRoutes: true })
  if (status.promoteFull) {
    const recorded = status.canary?.weights?.canary?.weight ?? 0
    // setCanaryScale may have made more canary pods than the rollout has replicas.
    const pods = Math.min(availableReplicas(newRS), seen.replicas)
    const grown = Math.floor((whole * pods) / Math.max(1, seen.replicas))
    return choice(dynamic ? grown : recorded, 'full promotion: waits for the new pods', { dropRoutes: true })
  }
  const index = currentIndex(seen)
  if (index === undefined) return choice(0, 'no steps: traffic moves at the promotion')
  const isReady = atDesired({
    spec,
    status,
    newRS: sized(newRS),
    stableRS: sized(seen.stableRS),
    otherRSs: seen.otherRSs.map(rs => sized(rs)!),
  })
  if (!isReady) return choice(weightBefore(spec, index), 'the pods for the next weight are not there yet')
  if (index < stepsOf(seen).length) return choice(weightAt(spec, index), `step ${index + 1} asks for it`)
  return choice(whole, 'all steps are done')
}

const UNROUTED: Routed = { actions: [], verified: null, waits: NOTHING, status: {} }

/** More than there is cannot be given away. */
function excessText({ dests, total }: Desired): string | undefined {
  const given = dests.filter(dest => dest.role !== 'stable').reduce((sum, dest) => sum + dest.weight, 0)
  if (given <= total) return undefined
  return `the weights of the canary and of the experiment's templates are ${given} in sum, but there are only ${total}`
}

/** Stable must be able to carry what is left for it; else nothing is written in this pass. */
const canStableCarry = (seen: Observed, weight: number): boolean =>
  seen.stableRS !== undefined && hasPodsFor(seen, seen.stableRS, maxTrafficWeight(seen.spec) - weight)

/** Has the set enough available pods for this share of the traffic? All that the weight needs, rounded down, or
 * replicaProgressThreshold's part of them. */
export function hasPodsFor(seen: Pick<Observed, 'spec' | 'replicas'>, rs: ReplicaSet, weight: number): boolean {
  const needed = Math.floor((weight * seen.replicas) / maxTrafficWeight(seen.spec))
  const available = availableReplicas(rs)
  return available >= needed || hasReachedThreshold(seen, available, needed)
}

function desiredTraffic(seen: Observed, choice: Choice, extras: readonly Dest[]): Desired {
  const total = maxTrafficWeight(seen.spec)
  const services = canaryServices(seen)
  const canaryHash = isReturningToStable(seen)
    ? (seen.status.canary?.weights?.canary?.podTemplateHash ?? '')
    : seen.newRS
      ? hashOf(seen.newRS)
      : ''
  const routes = choice.dropRoutes || revisionOf(seen.rollout) <= 1 ? { headers: [], mirrors: [] } : stepRoutes(seen)
  return {
    owner: ownerOf(seen),
    namespace: seen.rollout.metadata.namespace ?? '',
    total,
    totalIsExplicit: seen.spec.strategy?.canary?.trafficRouting?.maxTrafficWeight != null,
    dests: [
      {
        role: 'canary',
        weight: choice.weight,
        service: services.canary,
        hash: canaryHash,
        ...podsOf(seen, canaryHash),
      },
      {
        role: 'stable',
        weight: extras.reduce((left, extra) => left - extra.weight, total - choice.weight),
        service: services.stable,
        hash: seen.stableRS ? hashOf(seen.stableRS) : '',
        ...(seen.stableRS ? podsOf(seen, hashOf(seen.stableRS)) : {}),
      },
      ...extras,
    ],
    ...routes,
    managed: managedNames(seen),
  }
}

/** How the pods of a version are known by name. */
export function podsOf({ allRSs }: Pick<Observed, 'allRSs'>, hash: string): Pick<Dest, 'pods'> {
  const rs = allRSs.find(one => hashOf(one) === hash)
  const pods = rs && podPrefix(rs)
  return pods === undefined ? {} : { pods }
}

/** The routes that the spec speaks of: those of managedRoutes in their order, then those of steps. */
export function managedNames(seen: Pick<Observed, 'spec'>): readonly string[] {
  const { trafficRouting, steps } = seen.spec.strategy?.canary ?? {}
  const listed = (trafficRouting?.managedRoutes ?? []).map(route => route.name)
  const stepped = (steps ?? []).flatMap(step => step?.setHeaderRoute?.name ?? step?.setMirrorRoute?.name ?? [])
  return [...new Set([...listed, ...stepped])]
}

/** The header and mirror routes in force: every step up to the current one counts, a later one of the same name wins,
 * and one without matches removes. Order is that of managedRoutes. argo sets them only while their step is current. */
function stepRoutes(seen: Observed): Pick<Desired, 'headers' | 'mirrors'> {
  const headers = new Map<string, HeaderRoute>()
  const mirrors = new Map<string, MirrorRoute>()
  for (const step of stepsOf(seen).slice(0, (currentIndex(seen) ?? 0) + 1)) {
    const { setHeaderRoute: header, setMirrorRoute: mirror } = step
    if (header) {
      const name = header.name ?? ''
      const anyOf = (header.match ?? []).map(m => ({
        header: m.headerName,
        value: (m.headerValue ?? {}) as StringMatch,
      }))
      if (anyOf.length > 0) headers.set(name, { name, anyOf })
      else headers.delete(name)
    }
    if (mirror) {
      const name = mirror.name ?? ''
      if (mirror.match?.length) {
        mirrors.set(name, { name, percent: mirror.percentage ?? 100, anyOf: mirror.match as MirrorRoute['anyOf'] })
      } else mirrors.delete(name)
    }
  }
  const order = (seen.spec.strategy?.canary?.trafficRouting?.managedRoutes ?? []).map(route => route.name)
  const sort = <T extends { name: string }>(routes: Iterable<T>): T[] =>
    [...routes].toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  return { headers: sort(headers.values()), mirrors: sort(mirrors.values()) }
}

function nextWeights(seen: Observed, desired: Desired, verified: boolean | null): CanaryWeights {
  const { stableService = '', canaryService = '' } = seen.spec.strategy?.canary ?? {}
  const of = (role: 'stable' | 'canary') => desired.dests.find(dest => dest.role === role)
  const dest = (role: 'stable' | 'canary', serviceName: string) => ({
    weight: of(role)?.weight ?? 0,
    ...(serviceName ? { serviceName } : {}),
    ...(of(role)?.hash ? { podTemplateHash: of(role)?.hash ?? '' } : {}),
  })
  const additional = desired.dests
    .filter(({ role }) => role === 'extra')
    .map(({ weight, service = '', hash = '' }) => ({ weight, serviceName: service, podTemplateHash: hash }))
  return {
    canary: dest('canary', canaryService),
    stable: dest('stable', stableService),
    ...(additional.length > 0 ? { additional } : {}),
    ...(verified === null ? {} : { verified }),
  }
}

function weightEvents(old: CanaryWeights | undefined, next: CanaryWeights) {
  const same = (a: CanaryWeights['canary'] | undefined, b: CanaryWeights['canary'] | undefined) =>
    a?.weight === b?.weight &&
    (a?.podTemplateHash ?? '') === (b?.podTemplateHash ?? '') &&
    (a?.serviceName ?? '') === (b?.serviceName ?? '')
  const [extras, was] = [next.additional ?? [], old?.additional ?? []]
  const isOther = extras.length !== was.length || extras.some((extra, i) => !same(extra, was[i]))
  if (old && same(old.canary, next.canary) && same(old.stable, next.stable) && !isOther) return []
  const [from, to] = [old?.canary?.weight, next.canary?.weight]
  const shown = extras.map(
    ({ weight, serviceName, podTemplateHash }) => `{${weight} ${serviceName} ${podTemplateHash}}`,
  )
  const changes = [
    ...(old === undefined ? [`to ${to}`] : from === to ? [] : [`from ${from} to ${to}`]),
    ...(old !== undefined && isOther ? [`additional: [${shown.join(' ')}]`] : []),
  ]
  // argo: the blank stays when only a hash changed.
  return [normal('TrafficWeightUpdated', `Traffic weight updated ${changes.join(', ')}`)]
}
