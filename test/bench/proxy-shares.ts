// How exactly the proxy keeps a share: so many requests at each of some shares, counted by the proxy itself.
import { Pool } from 'undici'
import { startProxy } from '../../src/proxy/start.ts'
import type { Origins } from './proxy-load.ts'
import type { Figures } from './proxy-table.ts'

const PERCENTS = [0.1, 1, 5, 50, 99, 100]
const CONNECTIONS = 64

/** Sends `requests` at each share to a proxy of its own in front of the origins. */
export async function measureShares(
  requests: number,
  [stable, canary]: Origins,
  progress: (line: string) => void,
): Promise<Figures['shares']> {
  const shares: { percent: number; requests: number; off: number }[] = []
  for (const percent of PERCENTS) {
    const total = 1000
    const weight = Math.round((percent * total) / 100)
    const dests = [
      { role: 'stable' as const, weight: total - weight, upstream: `http://127.0.0.1:${stable}` },
      { role: 'canary' as const, weight, upstream: `http://127.0.0.1:${canary}` },
    ]
    const proxy = await startProxy({ table: { routes: [{ name: 'web', total, dests }] } })
    const pool = new Pool(proxy.url, { connections: CONNECTIONS, pipelining: 8 })
    let left = requests
    const ask = async (): Promise<void> => {
      while (left-- > 0) await (await pool.request({ method: 'GET', path: '/post' })).body.dump()
    }
    progress(`share of ${percent} %: ${requests} requests`)
    await Promise.all(Array.from({ length: CONNECTIONS * 8 }, ask))
    await pool.close()
    const [one, other] = proxy.status().routes[0]!.dests
    await proxy.close()
    const all = one!.requests + other!.requests
    shares.push({ percent, requests: all, off: other!.requests - (all * percent) / 100 })
  }
  return shares
}
