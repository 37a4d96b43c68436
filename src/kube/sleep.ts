// Waiting on a clock, so that a virtual one can run the whole layer.
import type { Millis } from '../contract.ts'
import type { Clock } from '../ports.ts'

/** Resolves `length` milliseconds from now, or at once when the signal fires; never rejects. */
export const sleep = (clock: Clock, length: Millis, signal?: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const wake = () => {
      cancel()
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = clock.at(clock.now() + Math.max(0, length), wake)
    signal?.addEventListener('abort', wake)
  })
