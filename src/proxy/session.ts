// Sessions that stay on the version they began with, by a cookie of the proxy's own. Whoever has none is chosen by the
// exact weight and gets one. It names the version and the release, so the next release chooses anew.
import type { Asked } from './asked.ts'
import type { Dest, Entry } from './compile.ts'
import { cookieOf } from './match.ts'
import { placesFor } from './sticky.ts'
import type { Route } from './table.ts'

/** Longest Path of the cookie: the line must fit in front of an answer. */
const MOST_PATH = 256

export type Session = Readonly<{
  /** Its name; pods never see it. */
  cookie: string
  /** The version that a client's cookie holds on to. Undefined: it has none, or its version gets nothing any more. */
  held(asked: Asked): Dest | undefined
  /** The Set-Cookie line, with its end, for the answer to a request that came in this way and was given to `dest`;
   * undefined when there is nothing to say. */
  line(entry: Entry, asked: Asked, dest: Dest): Buffer | undefined
}>

/** Compiles `sticky.session`; undefined when the route has none. */
export function sessionOf(route: Route, dests: readonly Dest[]): Session | undefined {
  const spec = route.sticky?.session
  if (!spec) return undefined
  const release = nameOf(dests.find(d => d.role === 'canary'))
  const valueFor = (dest: Dest): string => `${nameOf(dest)}.${release}`
  const live = dests.filter(d => d.weight > 0)
  const held = new Map(live.filter(d => d.endpoints.length > 0).map(d => [valueFor(d), d]))
  const attributes = attributesOf(spec, route.match.pathPrefix)
  const setting = new Map(dests.map(d => [d, lineOf(spec.cookie, valueFor(d), attributes, spec.maxAge)]))
  const removing = lineOf(spec.cookie, '', attributes, 0)
  const isOver = new Set(dests.map(nameOf)).size === 1
  const isSplit = new Set(live.map(nameOf)).size > 1
  const cookieIn = (asked: Asked): string | undefined => cookieOf(asked.header('cookie'), spec.cookie)
  return {
    cookie: spec.cookie,
    held(asked) {
      const value = cookieIn(asked)
      return value === undefined ? undefined : held.get(value)
    },
    line({ route: { forced }, toPreview }, asked, dest) {
      const value = cookieIn(asked)
      if (isOver) return value === undefined ? undefined : removing
      // What was decided for one request says nothing about the session.
      if ((value !== undefined && held.has(value)) || toPreview || forced?.(asked) !== undefined) return undefined
      if (isSplit) return setting.get(dest)
      return value === undefined ? undefined : removing
    },
  }
}

/** The version's hash; where none is known its role. What does not fit into a cookie is hashed. */
function nameOf(dest: Dest | undefined): string {
  const name = dest?.hash || dest?.key || ''
  return /^[\w-]{0,64}$/.test(name) ? name : placesFor('version')(name).toString(36)
}

type Spec = NonNullable<NonNullable<Route['sticky']>['session']>

function attributesOf({ cookie, secure, sameSite }: Spec, prefix = '/'): string {
  const bare = prefix.replace(/\/+$/, '')
  // Two routes of one host may use one name; a cookie with this prefix in its name must be for the whole host.
  const isFit = bare.length <= MOST_PATH && /^[!-:<-~]+$/.test(bare) && !/^__host-/i.test(cookie)
  return `; Path=${isFit ? bare : '/'}; HttpOnly${secure ? '; Secure' : ''}; SameSite=${sameSite}`
}

const lineOf = (name: string, value: string, attributes: string, maxAge: number | undefined): Buffer =>
  Buffer.from(`Set-Cookie: ${name}=${value}${attributes}${maxAge === undefined ? '' : `; Max-Age=${maxAge}`}\r\n`)
