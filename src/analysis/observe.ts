// The one thing that an analysis looks at: its run.
import type { AnalysisRun } from '../api/analysis.ts'
import type { KindRef } from '../contract.ts'
import type { Key, Lookup } from '../ports.ts'

export const ANALYSIS_RUN: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' }

/** The run as the cache has it; undefined when it is gone or going. */
export function observeRun(key: Key, cache: Lookup): AnalysisRun | undefined {
  const run = cache.get({ ...ANALYSIS_RUN, ...key }) as AnalysisRun | undefined
  return run?.metadata.deletionTimestamp === undefined ? run : undefined
}
