// AnalysisRuns and Experiments of the past: how many are kept (argo-behaviour 5.6).
import { isCompleted } from '../analysis/phases.ts'
import { type Action, type KubeObject, refOf } from '../contract.ts'
import { HASH_LABEL } from './keys.ts'
import type { Observed } from './observe.ts'
import { type Part, part } from './part.ts'
import { hashOf } from './sets.ts'

type Past = KubeObject & Readonly<{ status?: Readonly<{ phase?: string }> }>

/** Runs and Experiments that no status names any more go with the ReplicaSet of their hash, and beyond the limits of
 * spec.analysis; the newest are kept. Runs and Experiments are counted apart. */
export function planRunHistory(seen: Observed): Part {
  const { canary, blueGreen } = seen.status
  const current = new Set([
    canary?.currentExperiment,
    canary?.currentBackgroundAnalysisRunStatus?.name,
    canary?.currentStepAnalysisRunStatus?.name,
    blueGreen?.prePromotionAnalysisRunStatus?.name,
    blueGreen?.postPromotionAnalysisRunStatus?.name,
  ])
  const past = (objects: readonly Past[]) => objects.filter(({ metadata }) => !current.has(metadata.name))
  return part({ actions: [...surplus(seen, past(seen.experiments)), ...surplus(seen, past(seen.runs))] })
}

function surplus(seen: Observed, past: readonly Past[]): readonly Action[] {
  const { successfulRunHistoryLimit = 5, unsuccessfulRunHistoryLimit = 5 } = seen.spec.analysis ?? {}
  const hashes = new Set(seen.allRSs.filter(rs => rs.metadata.deletionTimestamp === undefined).map(hashOf))
  let [good, bad] = [0, 0]
  return past
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted(newestFirst)
    .flatMap(object => {
      const phase = object.status?.phase ?? ''
      const hash = object.metadata.labels?.[HASH_LABEL]
      if (hash === undefined || !hashes.has(hash)) return [remove(object, 'its revision is forgotten')]
      if (!isCompleted(phase)) return []
      const isGood = phase === 'Successful'
      const limit = isGood ? successfulRunHistoryLimit : unsuccessfulRunHistoryLimit
      const nth = isGood ? ++good : ++bad
      const field = isGood ? 'successfulRunHistoryLimit' : 'unsuccessfulRunHistoryLimit'
      return nth > limit ? [remove(object, `it is beyond analysis.${field} ${limit}`)] : []
    })
}

const remove = (object: Past, why: string): Action => ({
  verb: 'delete',
  ref: refOf(object),
  ...(object.metadata.uid ? { uid: object.metadata.uid } : {}),
  propagation: 'Background',
  why,
})

/** The name breaks ties, since creation times have whole seconds only. */
function newestFirst(a: Past, b: Past): number {
  const [x, y] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp ?? ''} ${metadata.name}`)
  return x! < y! ? 1 : x! > y! ? -1 : 0
}
