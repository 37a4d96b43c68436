// Routes that ask for the same requests: the later one would get none, and nobody would be told.
import { hostName } from './match.ts'
import type { Route } from './table.ts'

type Way = Pick<Route, 'name' | 'match'>

/** One message for each route that another before it leaves nothing, or leaves nothing at one of its hosts. */
export function overlaps(routes: readonly Way[]): readonly Readonly<{ route: string; message: string }>[] {
  const owners = new Map<string, string>()
  const found = new Map<string, string>()
  for (const { name, match } of routes) {
    for (const host of hostsOf(match)) {
      const path = match.path
        ? `path ${match.path}`
        : `paths below ${(match.pathPrefix ?? '/').replace(/(.)\/$/, '$1')}`
      const key = `${match.port ?? '*'} ${host} ${path}`
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, name)
      else if (owner !== name)
        found.set(name, `route ${name} gets nothing at ${shown(host, path, match.port)}: route ${owner} has the same`)
    }
  }
  return [...found].map(([route, message]) => ({ route, message }))
}

const hostsOf = ({ hosts }: Way['match']): readonly string[] =>
  hosts === undefined || hosts.length === 0 ? ['*'] : hosts.map(hostName)

const shown = (host: string, path: string, port: number | undefined): string =>
  `${host === '*' ? 'any host' : host}${port === undefined ? '' : `, port ${port}`}, ${path}`
