// AnalysisRuns that the rollout has left behind are told to end: their result would be about nothing, and their queries
// and Jobs would go on for ever.
import { isCompleted } from '../analysis/phases.ts'
import type { AnalysisRun } from '../api/analysis.ts'
import { type Action, refOf } from '../contract.ts'
import { type Part, part } from './part.ts'

/** Ends every run of the rollout but those of the `current` names. What counts is who owns a run, not whether a status
 * names it: a change of the template has cleared the status by now, and whoever died before writing it never named it. */
export const endRuns = (runs: readonly AnalysisRun[], current: readonly (string | undefined)[]): Part =>
  part({ actions: runs.filter(run => !current.includes(run.metadata.name) && goesOn(run)).map(terminate) })

const goesOn = ({ metadata, spec, status }: AnalysisRun): boolean =>
  !isCompleted(status?.phase) && !spec.terminate && metadata.deletionTimestamp === undefined

const terminate = (run: AnalysisRun): Action => ({
  verb: 'patch',
  ref: refOf(run),
  type: 'merge',
  patch: { spec: { terminate: true } },
  why: 'its rollout has moved on',
})
