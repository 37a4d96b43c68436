// Promote: let a paused rollout go on, skip what is left of it, or unpause one that a person paused.
import { isSettled, type RolloutShape, type VerbPlan } from './verb.ts'

export type PromoteOptions = Readonly<{ full?: boolean; skipCurrentStep?: boolean; skipAllSteps?: boolean }>

/** argo: an index past the last step is not raised; an unset one counts as 0. */
function nextIndex({ spec, status }: RolloutShape): number | undefined {
  const count = spec.strategy?.canary?.steps?.length ?? 0
  return count === 0 ? undefined : Math.min((status?.currentStepIndex ?? 0) + 1, count)
}

function refusal({ spec }: RolloutShape, options: PromoteOptions): string | undefined {
  if (!options.skipCurrentStep && !options.skipAllSteps) return undefined
  if (options.skipCurrentStep && options.skipAllSteps) {
    return 'Cannot use skip-current-step and skip-all-steps flags at the same time'
  }
  if (spec.strategy?.blueGreen) return 'Cannot skip steps of a bluegreen rollout. Run without a flags'
  return spec.strategy?.canary?.steps?.length ? undefined : 'Cannot skip steps of a rollout without steps'
}

/** Ends the pause, or moves past the current step. */
function resume(rollout: RolloutShape): VerbPlan['status'] {
  const { status } = rollout
  const index = nextIndex(rollout)
  const isHeld = (status?.pauseConditions?.length ?? 0) > 0
  const verdict = status?.canary?.currentStepAnalysisRunStatus?.status
  if (isHeld && verdict === 'Inconclusive' && status?.controllerPause && index !== undefined) {
    // Clearing the condition alone would run the inconclusive analysis again.
    return { pauseConditions: null, controllerPause: false, currentStepIndex: index }
  }
  // controllerPause stays: that is how the controller knows that it paused and is now resumed.
  if (isHeld) return { pauseConditions: null }
  if (index === undefined || status?.currentStepIndex === index) return undefined
  return { pauseConditions: null, currentStepIndex: index }
}

function stateOf(rollout: RolloutShape): string {
  if (isSettled(rollout)) return 'the current revision is the stable one'
  if (rollout.status?.promoteFull) return 'a full promotion is under way'
  return 'the rollout is not paused and waits for its pods or its analysis'
}

/** The patches behind `promote`. argo: section "promote decision" of the plugin. */
export function planPromote(rollout: RolloutShape, options: PromoteOptions = {}): VerbPlan {
  const problem = refusal(rollout, options)
  if (problem !== undefined) return { problem }
  const { spec, status } = rollout
  if (options.skipCurrentStep) return { status: { currentStepIndex: nextIndex(rollout) } }
  if (options.skipAllSteps) return { status: { currentStepIndex: spec.strategy?.canary?.steps?.length } }
  const unpause = spec.paused ? { spec: { paused: false } } : {}
  const pass = options.full
    ? status?.currentPodHash === status?.stableRS
      ? undefined
      : { promoteFull: true }
    : resume(rollout)
  if (spec.paused || pass) return { ...unpause, ...(pass ? { status: pass } : {}) }
  return { note: `nothing to promote: ${stateOf(rollout)}` }
}
