// Sessions that stay on the version they began with, by a cookie of the proxy's own. Whoever has none is chosen by the
// exact weight and gets one. It names the version and the release, so the next release chooses anew.
//
// With `follow` the sessions of stable follow a growing weight: each gets a place on a line, evenly strewn over the part
// that is stable's when it begins, and joins the canary once that has grown past its place. That takes no memory, so
// requests that are under way at once agree, and nobody leaves the canary.
import type { Asked } from './asked.ts'
import type { Dest, Entry } from './compile.ts'
import { cookieOf } from './match.ts'
import { type Lags, nextPlace } from './pick.ts'
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

/** The line on which sessions of stable have their places is this long. */
const LINE = 1_000_000

/** Compiles `sticky.session`; undefined when the route has none. `lagsAt` gives the memory of a choice by its name. */
export function sessionOf(route: Route, dests: readonly Dest[], lagsAt: (name: string) => Lags): Session | undefined {
  const spec = route.sticky?.session
  if (!spec) return undefined
  const [stable, canary] = (['stable', 'canary'] as const).map(role => dests.find(d => d.role === role))
  const release = nameOf(canary)
  const border = spec.follow ? borderOf(canary, stable) : 0
  const places = spec.follow ? lagsAt('session') : undefined
  const live = dests.filter(d => d.weight > 0)
  const held = new Map(live.filter(d => d.endpoints.length > 0).map(d => [`${nameOf(d)}.${release}`, d]))
  const attributes = attributesOf(spec, route.match.pathPrefix)
  const setting = (value: string): Buffer => lineOf(spec.cookie, value, attributes, spec.maxAge)
  const named = new Map(dests.map(d => [d, setting(`${nameOf(d)}.${release}`)]))
  const removing = lineOf(spec.cookie, '', attributes, 0)
  const isOver = new Set(dests.map(nameOf)).size === 1
  const isSplit = new Set(live.map(nameOf)).size > 1

  const cookieIn = (asked: Asked): string | undefined => cookieOf(asked.header('cookie'), spec.cookie)
  const read = (value: string | undefined) => {
    const [, key = '', place] = VALUE.exec(value ?? '') ?? []
    const dest = held.get(key)
    return { dest, joins: dest !== undefined && dest === stable && place !== undefined && Number(place) < border }
  }
  const newLine = (dest: Dest): Buffer | undefined => {
    if (dest !== stable || places === undefined) return named.get(dest)
    const place = border + Math.floor(nextPlace(places) * (LINE - border))
    return setting(`${nameOf(dest)}.${release}.${place}`)
  }

  return {
    cookie: spec.cookie,
    held(asked) {
      const { dest, joins } = read(cookieIn(asked))
      return joins ? canary : dest
    },
    line({ route: { forced }, toPreview }, asked, dest) {
      const value = cookieIn(asked)
      if (isOver) return value === undefined ? undefined : removing
      const session = read(value)
      const isKept = session.dest !== undefined && !session.joins
      // What was decided for one request says nothing about the session.
      if (isKept || toPreview || forced?.(asked) !== undefined) return undefined
      if (isSplit) return newLine(dest)
      return value === undefined ? undefined : removing
    },
  }
}

/** Version and release, and for a session of stable that follows its place. */
const VALUE = /^([\w-]+\.[\w-]*)(?:\.(\d{1,7}))?$/

/** Where the canary's part of what it and stable get ends on the line. Without pods it takes nobody over. */
function borderOf(canary: Dest | undefined, stable: Dest | undefined): number {
  if (!canary || !stable || canary.weight === 0 || canary.endpoints.length === 0) return 0
  return Math.round((LINE * canary.weight) / (canary.weight + stable.weight))
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
