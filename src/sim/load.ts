// A steady stream of requests, counted by the version that answered: what users of the demo's shop would see.
import { Pool } from 'undici'

export type Tally = {
  /** Answers below 500. */
  ok: number
  /** Answers of 500 and above: the application's fault. */
  errors: number
  /** No answer at all: the fault of whoever moves the traffic. */
  failed: number
  byVersion: Record<string, { ok: number; errors: number }>
}

export type Load = Readonly<{
  /** Everything since the start, by name of the path. */
  total(name: string): Readonly<Tally>
  /** What came in since the last call of `recent` for this name. */
  recent(name: string): Readonly<Tally>
  stop(): Promise<void>
}>

export type Target = Readonly<{ name: string; path: string; perSecond: number }>

const empty = (): Tally => ({ ok: 0, errors: 0, failed: 0, byVersion: {} })

/** Sends `perSecond` requests to each path of the proxy, evenly spaced, over keep-alive connections. */
export function startLoad(url: string, targets: readonly Target[]): Load {
  const pool = new Pool(url, { connections: 16, headersTimeout: 10_000, bodyTimeout: 10_000 })
  const totals = new Map(targets.map(({ name }) => [name, empty()]))
  const windows = new Map(targets.map(({ name }) => [name, empty()]))
  const running = new Set<Promise<void>>()

  const count = (name: string, result: 'ok' | 'errors' | 'failed', version?: string) => {
    for (const tally of [totals.get(name), windows.get(name)]) {
      if (!tally) continue
      tally[result] += 1
      if (version === undefined || result === 'failed') continue
      tally.byVersion[version] ??= { ok: 0, errors: 0 }
      tally.byVersion[version][result] += 1
    }
  }

  const send = async ({ name, path }: Target) => {
    try {
      const { statusCode, headers, body } = await pool.request({ method: 'GET', path })
      await body.dump()
      const version = headers['x-version'] ?? ''
      count(name, statusCode >= 500 ? 'errors' : 'ok', String(version))
    } catch {
      count(name, 'failed')
    }
  }

  const timers = targets.map(target =>
    setInterval(() => {
      const run: Promise<void> = send(target).finally(() => running.delete(run))
      running.add(run)
    }, 1000 / target.perSecond),
  )

  return {
    total: name => totals.get(name) ?? empty(),
    recent(name) {
      const window = windows.get(name) ?? empty()
      windows.set(name, empty())
      return window
    },
    async stop() {
      for (const timer of timers) clearInterval(timer)
      await Promise.allSettled(running)
      await pool.close()
    },
  }
}
