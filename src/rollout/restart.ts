// Restart: every pod created before an instant is replaced, a few at a time.
import type { Millis } from '../contract.ts'
import type { VerbPlan } from './verb.ts'

/** The patch behind `restart`: pods older than `now` + `inMs` go. Whole seconds, as Kubernetes times are. */
export function planRestart(now: Millis, inMs: Millis = 0): VerbPlan {
  return { spec: { restartAt: new Date(now + inMs).toISOString().replace(/\.\d+Z$/, 'Z') } }
}
