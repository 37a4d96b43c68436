// ReplicaSets that are neither new nor stable: when and how they go (argo-behaviour 3.4 and 3.6).
import type { ReplicaSet } from '../api/kube.ts'
import type { Millis } from '../contract.ts'
import { planDrain } from './drain.ts'
import { HASH_LABEL } from './keys.ts'
import { maxUnavailable } from './limits.ts'
import type { Observed } from './observe.ts'
import { join, NOTHING, type Part, part } from './part.ts'
import { NO_INTENT, pauseFor } from './pauses.ts'
import type { Known } from './plan.ts'
import { registeredStable } from './registered.ts'
import { addDeadline, type Scaled, scale, UNSCALED } from './scale.ts'
import {
  availableReplicas,
  byCreation,
  byRevisionDescending,
  hasDeadline,
  hashOf,
  specReplicas,
  sumOf,
  untilDeadline,
} from './sets.ts'

/** Hashes that the status or a live Service still names: traffic may still go there. */
export function referencedHashes(seen: Observed): ReadonlySet<string> {
  const { status, spec } = seen
  const { blueGreen, canary } = spec.strategy ?? {}
  const weights = status.canary?.weights
  // Not the Services of a ping-pong pair: the one in the stable role selects the stable set, and the other keeps its
  // last selector, without traffic, until the next version needs it.
  const services = [blueGreen?.activeService, blueGreen?.previewService, canary?.stableService, canary?.canaryService]
  const selected = services.map(name => (name ? seen.service(name)?.spec?.selector?.[HASH_LABEL] : undefined))
  const named = [
    status.stableRS,
    status.currentPodHash,
    status.blueGreen?.activeSelector,
    status.blueGreen?.previewSelector,
    weights?.canary?.podTemplateHash,
    weights?.stable?.podTemplateHash,
    ...(weights?.additional ?? []).map(dest => dest.podTemplateHash),
  ]
  return new Set([...named, ...selected].filter((hash): hash is string => !!hash))
}

/** scaleDownDelaySeconds, 30 when unset. */
const scaleDownDelay = (seen: Observed): number => {
  const { blueGreen, canary } = seen.spec.strategy ?? {}
  return (blueGreen ?? canary)?.scaleDownDelaySeconds ?? 30
}

const revisionLimit = (seen: Observed): number => {
  const { blueGreen, canary } = seen.spec.strategy ?? {}
  return (blueGreen ?? canary)?.scaleDownDelayRevisionLimit ?? 2 ** 31 - 1
}

type Delay = Readonly<{ wanted: number; part: Part; waiting: number }>

/** How many pods a set of `size` keeps while its delay runs; the delay starts here, with the pods that it has, and goes on
 * with `keep`. `waiting` counts sets that wait already.
 * An explicit delay of 0 means at once: argo keeps such a set for ever (a deliberate difference). None goes while a proxy
 * that we know of has requests for it. */
function delayed(
  seen: Observed,
  known: Known,
  rs: ReplicaSet,
  { size, keep }: Readonly<{ size: number; keep: number }>,
  waiting: number,
  now: Millis,
): Delay {
  if (hasDeadline(rs)) {
    const left = untilDeadline(rs, now)
    if (left === undefined || waiting >= revisionLimit(seen))
      return { ...planDrain(seen, known, rs, keep, now), waiting: waiting + 1 }
    return { wanted: keep, part: part({ recheckAt: now + left }), waiting: waiting + 1 }
  }
  const seconds = scaleDownDelay(seen)
  if (seconds === 0 || waiting >= revisionLimit(seen)) return { ...planDrain(seen, known, rs, size, now), waiting }
  const why = `ReplicaSet ${hashOf(rs)} is no longer used and goes in ${seconds} s`
  return { wanted: size, part: addDeadline(rs, seconds, now, why), waiting: waiting + 1 }
}

/** Blue-green: every unused set waits its delay, the newest first, then goes. Without a delay of its own it waits for the
 * analysis after the switch. */
export function planOldBlueGreen(seen: Observed, known: Known, isPostPromotionPending: boolean, now: Millis): Scaled {
  const up = seen.otherRSs.filter(rs => specReplicas(rs) > 0).toSorted(byRevisionDescending)
  const isHeld = isPostPromotionPending && seen.spec.strategy?.blueGreen?.scaleDownDelaySeconds == null
  if (up.length === 0 || pauseFor(seen.status, 'InconclusiveAnalysisRun') || isHeld) return UNSCALED
  const referenced = referencedHashes(seen)
  let waiting = 0
  let [resized, parts]: [boolean, Part] = [false, NOTHING]
  for (const rs of up) {
    if (referenced.has(hashOf(rs))) continue
    const delay = delayed(seen, known, rs, { size: specReplicas(rs), keep: seen.replicas }, waiting, now)
    waiting = delay.waiting
    const size =
      delay.wanted === specReplicas(rs)
        ? UNSCALED
        : scale(seen, rs, delay.wanted, NO_INTENT, 'its scale-down delay is over')
    resized ||= size.resized
    parts = join(parts, delay.part, size.part)
  }
  return { part: parts, resized }
}

/** Canary: unhealthy pods of old sets go first, then whole sets as far as availability allows. */
export function planOldCanary(seen: Observed, known: Known, isFullyPromoted: boolean, now: Millis): Scaled {
  const trimmed = trimUnhealthy(seen)
  const canary = seen.spec.strategy?.canary
  const routed = canary?.trafficRouting != null
  const referenced = routed ? referencedHashes(seen) : new Set<string>()
  let room = sumOf(seen.allRSs, availableReplicas) - (seen.replicas - maxUnavailable(seen.spec))
  // Pods that go already count as available, so nothing can be said of what may go besides them.
  // argo: the pass goes on, since what was trimmed served nobody.
  if (trimmed.isShrinking || room <= 0) return { part: trimmed.part, resized: false }
  const unused = seen.otherRSs.filter(rs => !referenced.has(hashOf(rs)))
  const registered = registeredStable(seen, known, unused, now)
  if (!registered.isVerified) return { part: join(trimmed.part, registered.part), resized: trimmed.resized }
  let waiting = 0
  let [resized, parts] = [trimmed.resized, join(trimmed.part, registered.part)]
  for (const rs of seen.otherRSs.filter(one => specReplicas(one) > 0).toSorted(byRevisionDescending)) {
    const size = trimmed.sizes.get(rs) ?? specReplicas(rs)
    if (room <= 0) break
    if (referenced.has(hashOf(rs)) || size === 0) continue
    let wanted = 0
    let why = 'it is neither stable nor new'
    if (!routed) wanted = Math.max(0, size - room)
    else {
      const isDelayed = (isFullyPromoted || hasDeadline(rs)) && !canary?.dynamicStableScale
      const delay = isDelayed
        ? delayed(seen, known, rs, { size, keep: size }, waiting, now)
        : { ...planDrain(seen, known, rs, size, now), waiting }
      waiting = delay.waiting
      wanted = delay.wanted
      parts = join(parts, delay.part)
      if (isDelayed) why = 'its scale-down delay is over'
    }
    if (wanted === size) continue
    const scaled = scale(seen, rs, wanted, NO_INTENT, why)
    room -= size - wanted
    resized ||= scaled.resized
    // One write a set: the final size replaces the trimming of the same set.
    parts = { ...parts, actions: parts.actions.filter(action => !isScalingOf(action, rs)) }
    parts = join(parts, scaled.part)
  }
  return { part: parts, resized }
}

const isScalingOf = (action: Part['actions'][number], rs: ReplicaSet): boolean =>
  action.verb === 'patch' &&
  action.ref.name === rs.metadata.name &&
  action.ref.kind === 'ReplicaSet' &&
  (action.patch as { spec?: unknown }).spec !== undefined

function trimUnhealthy(seen: Observed) {
  const sizes = new Map<ReplicaSet, number>()
  let [resized, parts]: [boolean, Part] = [false, NOTHING]
  for (const rs of seen.otherRSs.toSorted(byCreation)) {
    const available = availableReplicas(rs)
    if (specReplicas(rs) === 0 || available === specReplicas(rs)) continue
    if (available > specReplicas(rs)) return { sizes, resized, part: parts, isShrinking: true }
    const scaled = scale(seen, rs, available, NO_INTENT, 'its unhealthy pods go first')
    sizes.set(rs, available)
    resized ||= scaled.resized
    parts = join(parts, scaled.part)
  }
  return { sizes, resized, part: parts, isShrinking: false }
}
