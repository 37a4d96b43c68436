// Where a canary stands: the current step, its verdict, rollbacks, and the reason to promote.
import type { CanaryStep } from '../api/rollout.ts'
import type { RolloutStatus } from '../api/rollout-status.ts'
import type { Millis } from '../contract.ts'
import type { Observed } from './observe.ts'
import { isAborted, type PauseIntent } from './pauses.ts'
import type { Known } from './plan.ts'
import { availableReplicas, hashOf, isOlder, untilDeadline } from './sets.ts'
import type { StepView, Verdict } from './steps/step.ts'

export const stepsOf = (seen: Observed): readonly CanaryStep[] => seen.spec.strategy?.canary?.steps ?? []

/** Index of the current step; undefined without steps. An unset index counts as 0. */
export function currentIndex(seen: Observed): number | undefined {
  return stepsOf(seen).length === 0 ? undefined : (seen.status.currentStepIndex ?? 0)
}

export const currentStep = (seen: Observed): CanaryStep | undefined => stepsOf(seen)[currentIndex(seen) ?? 0]

/** argo: in this order when a step names several. */
const KINDS = [
  'pause',
  'setCanaryScale',
  'setWeight',
  'experiment',
  'analysis',
  'setHeaderRoute',
  'setMirrorRoute',
  'plugin',
] as const

/** Asks the current step how it stands; undefined when there is none. */
export function judgeStep(seen: Observed, known: Known, view: StepView, now: Millis): Verdict | undefined {
  const step = currentStep(seen)
  if (!step) return undefined
  const kind = KINDS.find(name => step[name] != null)
  const judge = kind && known.steps[kind]
  if (!judge) return { is: 'waiting', for: `a step that this version cannot run: ${kind ?? 'an empty step'}` }
  const config = judge.config.safeParse(step[kind])
  if (!config.success)
    return { is: 'waiting', for: `step ${kind} to be valid: ${config.error.issues[0]?.message ?? ''}` }
  return judge.judge(config.data, view, now)
}

/** stable and current hash are the same in the stored status: no update is in flight. */
export const isFullyPromoted = (status: RolloutStatus): boolean =>
  (status.stableRS ?? '') === (status.currentPodHash ?? '')

export type Rollback = Readonly<{ isRollback: boolean; isWithinWindow: boolean; isFast: boolean }>

/** Is the new set an earlier version, and may its steps be skipped? Only meaningful while an update is in flight:
 * argo: in steady state it says fast. */
export function rollback(seen: Observed, now: Millis): Rollback {
  const { newRS, stableRS, spec } = seen
  if (!newRS || !stableRS) return { isRollback: false, isWithinWindow: false, isFast: false }
  const isStable = hashOf(newRS) === seen.status.stableRS
  const isRollback = isStable || isOlder(newRS, stableRS)
  const revisions = spec.rollbackWindow?.revisions ?? 0
  const between = seen.allRSs.filter(rs => isOlder(newRS, rs) && isOlder(rs, stableRS)).length
  const isWithinWindow = isOlder(newRS, stableRS) && revisions > 0 && between < revisions
  const isWaiting = spec.strategy?.blueGreen != null && untilDeadline(newRS, now) !== undefined
  return { isRollback, isWithinWindow, isFast: isRollback && (isWithinWindow || isWaiting || isStable) }
}

/** Why the new set becomes stable in this pass; undefined: not yet. The text goes into the RolloutCompleted event. */
export function canaryPromotion(
  seen: Observed,
  intent: PauseIntent,
  isReady: boolean,
  now: Millis,
): string | undefined {
  const { status, stableRS, newRS } = seen
  if (!stableRS) return 'Initial deploy'
  if (isAborted(status, intent) || !newRS) return undefined
  if (availableReplicas(newRS) < seen.replicas && !isReady) return undefined
  if (status.promoteFull) return 'Full promotion requested'
  const { isRollback, isWithinWindow, isFast } = rollback(seen, now)
  if (isRollback && isWithinWindow) return 'Rollback within window'
  if (isFast) return 'Fast rollback'
  const steps = stepsOf(seen).length
  const index = currentIndex(seen)
  return steps === 0 || index === steps ? `Completed all ${steps} canary steps` : undefined
}
