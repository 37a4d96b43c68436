// A level-based control loop: keys that are looked at again when something changes, one at a time, never twice at once.
import type { Millis } from '../../contract.ts'
import type { Clock } from '../../ports.ts'
import { StatusError } from '../model.ts'

/** Looks at one key; the answer is when to look again although nothing changes. */
export type Sync = (key: string) => Millis | undefined

export type Loop = Readonly<{
  add(key: string): void
  /** Looks at `key` again at `time`; an earlier appointment of the same key stays. */
  addAt(key: string, time: Millis): void
  stop(): void
}>

const FIRST_DELAY = 20
const LONGEST_DELAY = 10_000

/** Starts a loop. Each key runs in a microtask of its own; a StatusError is tried again with a growing delay, any other
 * error is a fault of the controller and goes to `failed`. */
export function controlLoop(clock: Clock, sync: Sync, failed: (error: unknown, key: string) => void): Loop {
  const waiting = new Set<string>()
  const timers = new Map<string, Readonly<{ time: Millis; cancel: () => void }>>()
  const faults = new Map<string, number>()
  let scheduled = false
  let stopped = false

  const schedule = () => {
    if (scheduled || stopped || waiting.size === 0) return
    scheduled = true
    queueMicrotask(runOne)
  }
  const add = (key: string) => {
    if (stopped) return
    waiting.add(key)
    schedule()
  }
  const addAt = (key: string, time: Millis) => {
    const planned = timers.get(key)
    if (stopped || (planned && planned.time <= time)) return
    planned?.cancel()
    const cancel = clock.at(time, () => {
      timers.delete(key)
      add(key)
    })
    timers.set(key, { time, cancel })
  }
  const runOne = () => {
    scheduled = false
    const [key] = waiting
    if (key === undefined || stopped) return
    waiting.delete(key)
    try {
      const again = sync(key)
      faults.delete(key)
      if (again !== undefined) addAt(key, again)
    } catch (error) {
      const count = faults.get(key) ?? 0
      faults.set(key, count + 1)
      if (!(error instanceof StatusError)) failed(error, key)
      addAt(key, clock.now() + Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** count))
    }
    schedule()
  }

  return {
    add,
    addAt,
    stop() {
      stopped = true
      waiting.clear()
      for (const { cancel } of timers.values()) cancel()
      timers.clear()
    },
  }
}

/** The key of a namespaced object, as controllers use it. */
export const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`

/** Both halves of a key. */
export function splitKey(key: string): Readonly<{ namespace: string; name: string }> {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** Runs `write` and forgives the answers that mean "it is so already, or will be looked at again". */
export function forgiving<T>(codes: readonly number[], write: () => T): T | undefined {
  try {
    return write()
  } catch (error) {
    if (error instanceof StatusError && codes.includes(error.code)) return undefined
    throw error
  }
}
