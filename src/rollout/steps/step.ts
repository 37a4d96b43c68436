// What a canary step is: one file a step, judged purely. The file name is the key of the step in the manifest.
import type * as z from 'zod'
import type { StepPluginStatus } from '../../api/rollout-status.ts'
import type { Millis } from '../../contract.ts'
import type { Observed } from '../observe.ts'
import type { PauseReason } from '../pauses.ts'

export type Verdict =
  | Readonly<{ is: 'done' }>
  | Readonly<{
      is: 'waiting'
      /** What it waits for, in words: read by `why` and the dashboard. */
      for: string
      /** Asks for this pause condition. */
      pause?: PauseReason
      recheckAt?: Millis
    }>
  | Readonly<{ is: 'failed'; message: string }>

/** What a step may look at beside its own configuration. */
export type StepView = Readonly<{
  seen: Pick<Observed, 'status' | 'spec' | 'replicas'>
  /** The sets have the sizes that the step wants (argo-behaviour 1.12). */
  isAtDesired: boolean
  /** What the routers say about the weight; null: no feedback. */
  verified: boolean | null
  /** Phase of the step's AnalysisRun, if there is one. */
  runPhase: string | undefined
  /** Phase of the step's Experiment, if there is one. */
  experimentPhase: string | undefined
  /** What plugin steps have answered so far. */
  plugins: readonly StepPluginStatus[]
}>

export type Step<C = unknown> = Readonly<{
  name: string
  config: z.ZodType<C>
  judge(config: C, view: StepView, now: Millis): Verdict
}>

/** Declares a step; exists for its types. */
export const defineStep = <C>(step: Step<C>): Step<C> => step

export const done: Verdict = { is: 'done' }
