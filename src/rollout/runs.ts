// Which AnalysisRuns should exist for a rollout, and what their results mean for it (argo-behaviour 5.5, 5.6).
import type { RolloutStatus } from '../api/rollout-status.ts'
import type { Millis } from '../contract.ts'
import type { Observed } from './observe.ts'
import { NOTHING, type Part } from './part.ts'
import { NO_INTENT, type PauseIntent } from './pauses.ts'
import type { Known } from './plan.ts'

export type Runs = Readonly<{
  part: Part
  /** Pauses and aborts that results ask for. */
  intent: PauseIntent
  stepPhase: string | undefined
  /** No pre-promotion analysis is configured, or its run is Successful. */
  isPrePromotionDone: boolean
  /** A post-promotion analysis is configured and its run is not Successful yet. */
  isPostPromotionPending: boolean
  canaryStatus: NonNullable<RolloutStatus['canary']>
  blueGreenStatus: NonNullable<RolloutStatus['blueGreen']>
}>

export function planRuns(_seen: Observed, _known: Known, _now: Millis): Runs {
  return {
    part: NOTHING,
    intent: NO_INTENT,
    stepPhase: undefined,
    isPrePromotionDone: true,
    isPostPromotionPending: false,
    canaryStatus: {},
    blueGreenStatus: {},
  }
}
