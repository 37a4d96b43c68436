// What proxies say on their admin ports, read for one route: do they serve its table, who still has requests for a
// version, has a fuse blown.
import * as z from 'zod'
import type { Heard, Observation, Told, UnderWay } from '#contract'

const fault = z.looseObject({ configMap: z.string(), route: z.string().optional(), message: z.string() })
const part = z.looseObject({ hash: z.string(), inFlight: z.number(), tunnels: z.number() })
const status = z.looseObject({
  follows: z.string().optional(),
  applied: z.record(z.string(), z.number()),
  fuses: z.array(z.looseObject({ route: z.string(), why: z.string() })).optional(),
  faults: z.array(fault).optional(),
  routes: z.array(z.looseObject({ name: z.string(), dests: z.array(part) })),
  former: z.array(part.extend({ route: z.string() })),
})
type Status = z.infer<typeof status>

/** Milliseconds. A proxy hears of a table within a few; one that does not answer needs its time. */
const SOON = 200
const LATER = 2000
/** A table that is refused waits for people. */
const MUCH_LATER = 10_000

/** Where a route comes from: `configMap` is NAMESPACE/NAME, `generation` that of the table in it, `route` its name. */
export type Expected = Readonly<{ namespace: string; configMap: string; generation: number; route: string }>

type Read = Readonly<{ said: Status } | { problem: string }>

function read(heard: Heard): Read {
  if ('error' in heard) return { problem: `does not answer (${heard.error})` }
  if (heard.status !== 200) return { problem: `answers ${heard.status}` }
  try {
    return { said: status.parse(JSON.parse(heard.body)) }
  } catch {
    return { problem: 'answers, but not as a Pintle proxy does' }
  }
}

const follows = (one: Status, namespace: string): boolean => one.follows === '' || one.follows === namespace

/** What a proxy says is wrong with the table: all of it, or what is this route's. */
const faultsIn = ({ faults = [] }: Status, { configMap, route }: Expected): readonly string[] =>
  faults
    .filter(one => one.configMap === configMap && (one.route === undefined || one.route === route))
    .map(({ message }) => message)

/** Why a proxy does not serve the table yet; undefined: it does, or it follows other namespaces. */
function lag(one: Status, { namespace, configMap, generation }: Expected): string | undefined {
  if (!follows(one, namespace)) return undefined
  const served = one.applied[configMap]
  if (served === undefined) return `has not seen ConfigMap ${configMap}`
  return served >= generation ? undefined : `serves generation ${served} of ConfigMap ${configMap}, not ${generation}`
}

/** Verified when every proxy that follows the namespace serves the generation; null when there is none. */
export function observeTold(told: readonly Told[], expected: Expected): Observation {
  let concerned = 0
  let again = SOON
  const behind: string[] = []
  const complaints = new Map<string, string[]>()
  for (const { from, heard } of told) {
    const one = read(heard)
    if ('said' in one && !follows(one.said, expected.namespace)) continue
    concerned += 1
    const why = 'problem' in one ? one.problem : lag(one.said, expected)
    if ('problem' in one) again = LATER
    if (why !== undefined) behind.push(`proxy ${from} ${why}`)
    for (const fault of 'said' in one ? faultsIn(one.said, expected) : [])
      complaints.set(fault, [...(complaints.get(fault) ?? []), from])
  }
  const complaint = [...complaints].map(([fault, who]) => `proxy ${who.join(', ')} says: ${fault}`).join('; ')
  const more = complaint === '' ? {} : { complaint }
  if (complaint !== '') again = MUCH_LATER
  if (concerned === 0) return { verified: null, reason: 'no proxy is known that could confirm the weights' }
  if (behind.length === 0) return { verified: true, reason: `${concerned} proxies serve it`, ...more }
  return { verified: false, reason: `waits: ${behind.join('; ')}`, again, ...more }
}

/** Requests and tunnels that proxies have for a version. One that may have some but cannot say so counts as one. */
export function underWayTold(told: readonly Told[], expected: Expected, route: string, hash: string): UnderWay {
  let count = 0
  const reasons: string[] = []
  const note = (number: number, reason: string): void => {
    count += number
    reasons.push(reason)
  }
  for (const { from, isServing, heard } of told) {
    const one = read(heard)
    if ('problem' in one) {
      // One that is said to be gone has nothing left.
      if (isServing) note(1, `proxy ${from} ${one.problem}`)
      continue
    }
    const open = openOf(one.said, route, hash)
    if (open > 0) note(open, `proxy ${from} has ${open} requests or tunnels under way`)
    const behind = isServing ? lag(one.said, expected) : undefined
    if (behind !== undefined) note(1, `proxy ${from} ${behind}`)
  }
  return { count, reason: reasons.join('; ') }
}

function openOf({ routes, former }: Status, route: string, hash: string): number {
  const current = routes.filter(({ name }) => name === route).flatMap(({ dests }) => dests)
  return [...current, ...former.filter(one => one.route === route)]
    .filter(one => one.hash === hash)
    .reduce((sum, { inFlight, tunnels }) => sum + inFlight + tunnels, 0)
}

/** Why a fuse of the route blew, if one did while this version was the canary. */
export function fuseTold(told: readonly Told[], route: string, hash: string): string | undefined {
  for (const { from, heard } of told) {
    const one = read(heard)
    if ('problem' in one) continue
    const { routes, fuses = [] } = one.said
    const isThis = routes.some(({ name, dests }) => name === route && dests.some(dest => dest.hash === hash))
    const fuse = isThis ? fuses.find(({ route: name }) => name === route) : undefined
    if (fuse) return `the fuse of proxy ${from} blew: ${fuse.why}`
  }
  return undefined
}
