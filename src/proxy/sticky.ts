// Users spread by a key of their own, without a memory: a hash of the key is a fixed place between 0 and 1, and the
// versions hold stretches of that line. The canary's stretch begins at 0, stable's ends where the extras begin, and the
// extras stand at the other end. So a weight that grows only moves a border: users join the canary, none leaves it.
import type { Asked } from './asked.ts'
import { claimOf } from './claim.ts'
import type { Dest } from './compile.ts'
import { cookieOf } from './match.ts'
import type { Route } from './table.ts'

const WHOLE = 0x1_0000_0000
const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** The version of a user; undefined for a request that names none. */
export type Bucket = (asked: Asked) => Dest | undefined

/** Compiles `sticky.by`; undefined when the route has none. */
export function bucketsOf(route: Route, dests: readonly Dest[]): Bucket | undefined {
  const { by, name, salt = route.name } = route.sticky ?? {}
  if (by === undefined || name === undefined) return undefined
  const key = keyBy(by, name)
  const place = placesFor(salt)
  const line = stretches(dests, route.total)
  return asked => {
    const user = key(asked)
    if (user === undefined || user === '') return undefined
    const at = place(user)
    return line.find(({ end }) => at < end)?.dest
  }
}

function keyBy(by: 'header' | 'cookie' | 'claim', name: string): (asked: Asked) => string | undefined {
  if (by === 'cookie') return asked => cookieOf(asked.header('cookie'), name)
  if (by === 'claim') return asked => claimOf(asked.header('authorization'), name)
  const lower = name.toLowerCase()
  return asked => asked.header(lower)
}

/** Places of keys on the line: whole numbers from 0 to 2^32 - 1. Other salts give other places, unrelated to these. */
export function placesFor(salt: string): (key: string) => number {
  const basis = mixed(fnv(FNV_BASIS, salt))
  return key => mixed(fnv(basis, key))
}

function fnv(basis: number, text: string): number {
  let hash = basis
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME)
  return hash
}

/** The finaliser of murmur: each bit of the hash sways each bit of the place. */
function mixed(hash: number): number {
  let x = hash
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

type Stretch = Readonly<{ dest: Dest; end: number }>

function stretches(dests: readonly Dest[], total: number): readonly Stretch[] {
  let sum = 0
  return dests
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => rank(a) - rank(b) || (a.key < b.key ? 1 : -1))
    .map(dest => {
      sum += dest.weight
      return { dest, end: (sum / total) * WHOLE }
    })
}

const rank = ({ role }: Dest): number => (role === 'canary' ? 0 : role === 'extra' ? 2 : 1)
