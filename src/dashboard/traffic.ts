// How each version fares, asked from a proxy's admin address once a second, while somebody looks.
import type { Clock } from '../ports.ts'
import type { Summary } from '../proxy/stats.ts'

/** One version over the last seconds, as the proxy counts. Times in milliseconds, null without requests. */
export type Version = Omit<Summary, 'inFlight'>

/** By pod template hash; `stale`: the proxy does not answer. */
export type Traffic = Readonly<{ at: number; byHash: Readonly<Record<string, Version>>; stale?: boolean }>

export type TrafficSource = Readonly<{
  latest(): Traffic | undefined
  /** Hears every sample; asking begins with the first listener and ends with the last. */
  onSample(listener: (traffic: Traffic) => void): () => void
  stop(): void
}>

const EVERY = 1000
const WINDOW = '3s'

/** Asks `admin` (such as http://127.0.0.1:9180); undefined admin: a source that never says anything. */
export function createTraffic(admin: string | undefined, clock: Clock): TrafficSource {
  const listeners = new Set<(traffic: Traffic) => void>()
  let latest: Traffic | undefined
  let cancel: (() => void) | undefined

  const ask = async (url: string) => {
    try {
      const reply = await fetch(`${url}/stats?window=${WINDOW}`, { signal: AbortSignal.timeout(2 * EVERY) })
      if (!reply.ok) throw new Error(`HTTP ${reply.status}`)
      const { byHash } = (await reply.json()) as { byHash: Traffic['byHash'] }
      latest = { at: clock.now(), byHash }
    } catch {
      // A proxy that restarts is no error of ours: the page says how old its numbers are.
      latest = latest && { ...latest, stale: true }
    }
    if (latest) for (const listener of listeners) listener(latest)
    cancel = listeners.size > 0 ? clock.at(clock.now() + EVERY, () => void ask(url)) : undefined
  }

  let asking = false
  return {
    latest: () => latest,
    onSample(listener) {
      listeners.add(listener)
      if (admin !== undefined && !cancel && !asking) {
        asking = true
        void ask(admin.replace(/\/+$/, '')).finally(() => {
          asking = false
        })
      }
      return () => listeners.delete(listener)
    },
    stop() {
      listeners.clear()
      cancel?.()
    },
  }
}
