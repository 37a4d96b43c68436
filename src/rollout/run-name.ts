// The name of the next AnalysisRun of a series: `base`, `base.1`, `base.2` ... (argo-behaviour 5.5).
import { isCompleted } from '../analysis/phases.ts'
import type { AnalysisRun } from '../api/analysis.ts'
import { sameJson } from '../contract.ts'
import type { RunSpec } from './run-spec.ts'

/** The first name of the series that is free among `runs`, or a run under it that still measures the same: one that an
 * earlier pass made and forgot. `previous` is never taken for that. */
export function freeName(
  runs: readonly AnalysisRun[],
  base: string,
  spec: RunSpec,
  previous?: AnalysisRun,
): Readonly<{ name: string; run: AnalysisRun | undefined }> {
  for (let n = 0; ; n += 1) {
    const name = n === 0 ? base : `${base}.${n}`
    const run = runs.find(one => one.metadata.name === name)
    if (!run) return { name, run: undefined }
    const { terminate: _t, ...live } = run.spec
    const isLive = run !== previous && !isCompleted(run.status?.phase) && !run.spec.terminate
    if (isLive && sameJson(live, spec)) return { name, run }
  }
}
