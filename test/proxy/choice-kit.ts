// Choices without sockets: a table, a request as plain values, and who gets it.
import type { Asked } from '../../src/proxy/asked.ts'
import { choose, findWay } from '../../src/proxy/choose.ts'
import { compile, type Dest, type Entry, type Memory } from '../../src/proxy/compile.ts'
import { endpointAt } from '../../src/proxy/endpoints.ts'
import { parseTable, type RouteTableInput } from '../../src/proxy/table.ts'

export type RouteInput = NonNullable<RouteTableInput['routes']>[number]
export type DestInput = RouteInput['dests'][number]

export const freshMemory = (): Memory => ({ seed: 1, lags: new Map() })

/** A version; the Service is named for its role, or for its hash where it is an extra one. */
export const to = (role: DestInput['role'], weight: number, hash = ''): DestInput => ({
  role,
  weight,
  ...(hash === '' ? {} : { hash }),
  upstream: { service: `shop/${role === 'extra' ? hash : role}` },
})

export type Request = Readonly<{ method?: string; target?: string; headers?: Readonly<Record<string, string>> }>

/** A request; header names in lower case. */
export const asked = ({ method = 'GET', target = '/', headers = {} }: Request): Asked => ({
  method: () => method,
  target: () => target,
  host: () => headers['host'] ?? '',
  header: name => headers[name],
})

export type Chosen = Readonly<{ dest: Dest; entry: Entry }>

/** Who gets requests on a route. `empty` names Services without pods. */
export function chooser(route: RouteInput, memory = freshMemory(), empty: readonly string[] = []) {
  const snapshot = compile(parseTable({ routes: [route] }, 'test'), memory, service => ({
    endpoints: empty.includes(service) ? [] : [endpointAt('127.0.0.1', 1)],
  }))
  return (request: Request): Chosen => {
    const entry = findWay(snapshot, 80, asked(request))!
    return { entry, dest: choose(entry, asked(request)) }
  }
}

/** The token of somebody whose claims are these; nobody checks the signature. */
export const tokenOf = (claims: unknown): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`
