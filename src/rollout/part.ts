// The pieces that a plan is put together from.
import type { Action, EventNote, HttpRequest, KindRef, Millis } from '../contract.ts'

/** A question that must be answered before this can be decided: the pass is planned anew with the answer, which is found
 * by `key`. `list`: objects of the rollout's namespace that are needed too seldom to be watched; the answer's body is
 * their list. */
export type Ask = Readonly<{ key: string } & ({ request: HttpRequest } | { list: KindRef; labelSelector?: string })>

/** A contribution to a plan: what to do, in order; what to announce; why; when to look again. */
export type Part = Readonly<{
  actions: readonly Action[]
  /** Recorded after the status has been written. */
  events: readonly EventNote[]
  because: readonly string[]
  recheckAt?: Millis
  asks?: readonly Ask[]
}>

export const NOTHING: Part = { actions: [], events: [], because: [] }

/** A part from some of its fields. */
export const part = (fields: Partial<Part>): Part => ({ ...NOTHING, ...fields })

/** The events that an action announces. */
export const announced = (action: Action): readonly EventNote[] => {
  const { announce } = action
  return announce === undefined ? [] : Array.isArray(announce) ? announce : [announce as EventNote]
}

/** Parts one after the other; the soonest recheck wins. Events stay in order with the actions: those of an earlier
 * part are announced by the next action. */
export function join(...parts: readonly Part[]): Part {
  const times = parts.flatMap(p => (p.recheckAt === undefined ? [] : [p.recheckAt]))
  const asks = parts.flatMap(p => p.asks ?? [])
  const actions: Action[] = []
  let events: readonly EventNote[] = []
  for (const { actions: more, events: later } of parts) {
    const [first, ...rest] = more
    if (first) {
      actions.push(events.length > 0 ? { ...first, announce: [...events, ...announced(first)] } : first, ...rest)
      events = later
    } else events = [...events, ...later]
  }
  return {
    actions,
    events,
    because: parts.flatMap(p => p.because),
    ...(times.length > 0 ? { recheckAt: Math.min(...times) } : {}),
    ...(asks.length > 0 ? { asks } : {}),
  }
}

export const normal = (reason: string, message: string): EventNote => ({ type: 'Normal', reason, message })
export const warning = (reason: string, message: string): EventNote => ({ type: 'Warning', reason, message })

/** An instant as Kubernetes writes it: RFC 3339, UTC, whole seconds. */
export const timestamp = (at: Millis): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
