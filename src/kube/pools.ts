// Connections to one API server: a few shared ones for requests, one each for watches; renewed with the certificates.
import { type Dispatcher, Pool, ProxyAgent } from 'undici'
import type { Millis } from '../contract.ts'
import type { Access, Tls } from './access.ts'

export type Pools = Readonly<{
  /** The pools of now; looks at the certificates once a minute. */
  current(): Promise<Readonly<{ requests: Dispatcher; watches: Dispatcher }>>
  /** Looks at the certificates before the next request. */
  suspect(): void
  /** Ends watches at once, requests when they are answered. */
  close(): Promise<void>
}>

const CONNECT: Millis = 5000
const IDLE: Millis = 30_000
/** Connections are renewed after a while, so that they spread over API servers again once one has come back. */
const CONNECTION_LIFE: Millis = 600_000
const TLS_CHECK: Millis = 60_000

const tlsOf = ({ ca, cert, key }: Tls): Tls => ({
  ...(ca !== undefined && { ca }),
  ...(cert !== undefined && { cert }),
  ...(key !== undefined && { key }),
})

const isSameTls = (a: Tls, b: Tls): boolean => a.ca === b.ca && a.cert === b.cert && a.key === b.key

/** Opens nothing yet: connections are made as requests come. `connections` bounds those for requests. */
export function createPools(access: Access, connections: number): Pools {
  const { origin } = new URL(access.server)

  const pool = (tls: Tls, limits: Pool.Options): Dispatcher => {
    const trust = {
      ...tls,
      ...(access.servername !== undefined && { servername: access.servername }),
      ...(access.insecureSkipTlsVerify && { rejectUnauthorized: false }),
    }
    const options = { pipelining: 1, allowH2: false, ...limits }
    if (access.proxy !== undefined) return new ProxyAgent({ ...options, uri: access.proxy, requestTls: trust })
    const connect = { ...trust, timeout: CONNECT, keepAlive: true, keepAliveInitialDelay: 30_000 }
    return new Pool(origin, { ...options, connect })
  }
  const open = (tls: Tls) => ({
    tls,
    requests: pool(tls, {
      connections,
      keepAliveTimeout: IDLE,
      keepAliveMaxTimeout: 2 * IDLE,
      clientTtl: CONNECTION_LIFE,
    }),
    watches: pool(tls, { connections: null, bodyTimeout: 0, keepAliveTimeout: 1000 }),
  })

  const retired = new Set<Dispatcher>()
  let pools = open(tlsOf(access))
  let checkedAt = performance.now()
  let checking: Promise<void> | undefined

  const check = async (read: NonNullable<Access['tls']>) => {
    // Unreadable for a moment, as while files are swapped: the old certificates stay.
    const tls = await read().then(tlsOf, () => pools.tls)
    checkedAt = performance.now()
    checking = undefined
    if (isSameTls(tls, pools.tls)) return
    for (const old of [pools.requests, pools.watches]) {
      retired.add(old)
      void old.close().finally(() => retired.delete(old))
    }
    pools = open(tls)
  }

  return {
    async current() {
      if (access.tls && performance.now() - checkedAt > TLS_CHECK) {
        checking ??= check(access.tls)
        await checking
      }
      return pools
    },
    suspect() {
      checkedAt = Number.NEGATIVE_INFINITY
    },
    async close() {
      await Promise.all([...retired, pools.watches].map(one => one.destroy()))
      await pools.requests.close()
    },
  }
}
