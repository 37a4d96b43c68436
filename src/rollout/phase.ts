// Phase and message of a Rollout: what the controller records, and what a client shows.

export type Phase = Readonly<{ phase: string; message: string }>

type Maybe<T> = T | null | undefined

type Condition = Readonly<{ type?: Maybe<string>; reason?: Maybe<string>; message?: Maybe<string> }>

/** The members of a Rollout that decide its phase. */
export type PhaseInput = Readonly<{
  metadata?: Maybe<Readonly<{ generation?: Maybe<number>; annotations?: Maybe<Readonly<Record<string, string>>> }>>
  spec?: Maybe<
    Readonly<{
      replicas?: Maybe<number>
      paused?: Maybe<boolean>
      restartAt?: Maybe<string>
      strategy?: Maybe<
        Readonly<{
          blueGreen?: Maybe<Readonly<{ postPromotionAnalysis?: unknown }>>
          canary?: Maybe<Readonly<{ trafficRouting?: unknown }>>
        }>
      >
    }>
  >
  status?: Maybe<
    Readonly<{
      phase?: Maybe<string>
      message?: Maybe<string>
      observedGeneration?: Maybe<string>
      workloadObservedGeneration?: Maybe<string>
      controllerPause?: Maybe<boolean>
      pauseConditions?: Maybe<readonly Readonly<{ reason?: Maybe<string> }>[]>
      conditions?: Maybe<readonly Condition[]>
      restartedAt?: Maybe<string>
      replicas?: Maybe<number>
      updatedReplicas?: Maybe<number>
      availableReplicas?: Maybe<number>
      currentPodHash?: Maybe<string>
      stableRS?: Maybe<string>
      blueGreen?: Maybe<
        Readonly<{
          activeSelector?: Maybe<string>
          postPromotionAnalysisRunStatus?: Maybe<Readonly<{ status?: Maybe<string> }>>
        }>
      >
    }>
  >
}>

/** Annotation in which the generation of a referenced workload is kept. */
const WORKLOAD_GENERATION = 'rollout.argoproj.io/workload-generation'

const progressing = (message: string): Phase => ({ phase: 'Progressing', message })

/** argo: the status of a condition is not looked at; the first in the list wins. */
function degraded(conditions: Maybe<readonly Condition[]>): Phase | undefined {
  for (const { type, reason, message } of conditions ?? []) {
    const text = message ?? ''
    if (type === 'InvalidSpec') return { phase: 'Degraded', message: `InvalidSpec: ${text}` }
    if (reason === 'RolloutAborted' || reason === 'ProgressDeadlineExceeded') {
      return { phase: 'Degraded', message: `${reason}: ${text}` }
    }
  }
  return undefined
}

/** Whether two times are the same instant; both absent counts as the same. */
function sameTime(a: Maybe<string>, b: Maybe<string>): boolean {
  if (!a || !b) return !a && !b
  return Date.parse(a) === Date.parse(b)
}

const isCompleted = (phase: Maybe<string>): boolean =>
  ['Successful', 'Failed', 'Error', 'Inconclusive'].includes(phase ?? '')

/** The message of a blue-green or canary update that has its pods but is not through; undefined: it is. */
function pending({ spec, status }: PhaseInput): string | undefined {
  const hash = status?.currentPodHash ?? ''
  const stable = status?.stableRS ?? ''
  const isPromoted = stable !== '' && stable === hash
  const { blueGreen, canary } = spec?.strategy ?? {}
  if (blueGreen) {
    const active = status?.blueGreen?.activeSelector ?? ''
    if (active === '' || active !== hash) return 'active service cutover pending'
    if (isPromoted) return undefined
    const isJudged = isCompleted(status?.blueGreen?.postPromotionAnalysisRunStatus?.status)
    return blueGreen.postPromotionAnalysis && !isJudged
      ? 'waiting for analysis to complete'
      : 'waiting for post-promotion verification to complete'
  }
  if (!canary) return undefined
  const hasOldPods = (status?.replicas ?? 0) > (status?.updatedReplicas ?? 0)
  if (!canary.trafficRouting && hasOldPods) return 'old replicas are pending termination'
  return isPromoted ? undefined : 'waiting for all steps to complete'
}

/** What the controller records: from spec, conditions and counts alone. */
export function calculatedPhase(rollout: PhaseInput): Phase {
  const { spec, status } = rollout
  const bad = degraded(status?.conditions)
  if (bad) return bad
  if (spec?.paused) return { phase: 'Paused', message: 'manually paused' }
  const pause = status?.pauseConditions?.[0]
  if (pause) return { phase: 'Paused', message: pause.reason ?? '' }
  if (spec?.restartAt && !sameTime(spec.restartAt, status?.restartedAt)) return progressing('rollout is restarting')
  const updated = status?.updatedReplicas ?? 0
  if (updated < (spec?.replicas ?? 1)) return progressing('more replicas need to be updated')
  if ((status?.availableReplicas ?? 0) < updated) return progressing('updated replicas are still becoming available')
  const waiting = pending(rollout)
  return waiting === undefined ? { phase: 'Healthy', message: '' } : progressing(waiting)
}

/** A decimal integer of `bits` bits, undefined for other text. */
function integer(text: string, bits: 32 | 64): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  return BigInt.asIntN(bits, value) === value ? value : undefined
}

/** Text that is no number, and a number that is ahead, count as observed. */
function isBehind(observed: string, generation: number): boolean {
  const value = integer(observed, 64)
  return value !== undefined && value < BigInt(generation)
}

/** argo: a workload generation that is not a 32 bit number counts as observed, on either side. */
function isWorkloadBehind(observed: string, generation: string): boolean {
  const [seen, wanted] = [integer(observed, 32), integer(generation, 32)]
  return seen !== undefined && wanted !== undefined && seen !== wanted
}

/** What a client shows: a change not yet seen by the controller first, then the recorded phase, else the calculation.
 * `templateResolvedFromRef`: the pod template has been read from spec.workloadRef. */
export function clientPhase(rollout: PhaseInput, templateResolvedFromRef = false): Phase {
  const { metadata, status } = rollout
  if (isBehind(status?.observedGeneration ?? '', metadata?.generation ?? 0)) {
    return progressing('waiting for rollout spec update to be observed')
  }
  if (status?.controllerPause && !status.pauseConditions?.length) {
    return progressing('waiting for rollout to unpause')
  }
  const workload = metadata?.annotations?.[WORKLOAD_GENERATION] ?? ''
  if (templateResolvedFromRef && isWorkloadBehind(status?.workloadObservedGeneration ?? '', workload)) {
    return progressing('waiting for rollout spec update to be observed for the reference workload')
  }
  if (status?.phase) return { phase: status.phase, message: status.message ?? '' }
  return calculatedPhase(rollout)
}
