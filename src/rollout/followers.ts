// Data planes of our own that follow what a router writes: where they are, what they are asked, and what came of it.
import { addressesOf, ENDPOINT_SLICE, trustedPlaces } from '../api/endpoint-slice.ts'
import type { Followers, Millis, Told, TrafficRouter } from '../contract.ts'
import type { Observed } from './observe.ts'
import { type Ask, NOTHING, type Part, part } from './part.ts'
import { isAborted, NO_INTENT, type PauseIntent } from './pauses.ts'
import type { Known } from './plan.ts'
import { namedRouters } from './routers.ts'
import { hashOf } from './sets.ts'

/** One that does not answer within this time counts as one that does not answer. */
const TIMEOUT: Millis = 2000
/** How soon a version that still has requests is looked at again. */
const AGAIN: Millis = 1000

type Knowing = Pick<Known, 'routers' | 'home'>

/** What the followers said; the questions that are still open. */
export type Polled = Readonly<{ told: readonly Told[]; asks: readonly Ask[] }>

/** Asks each follower once a pass. `all`: also those that get no new requests. */
export function pollFollowers(
  seen: Observed,
  { home }: Knowing,
  { label, port, path }: Pick<Followers<unknown>, 'label' | 'port' | 'path'>,
  all: boolean,
): Polled {
  const told: Told[] = []
  const asks: Ask[] = []
  const slices = trustedPlaces(seen.namespace, home).flatMap(place => seen.all(ENDPOINT_SLICE, place))
  for (const { from, isServing } of addressesOf(slices, label, port)) {
    if (!isServing && !all) continue
    const url = `http://${from}${path}`
    const heard = seen.heard?.get(url)
    if (heard) told.push({ from, isServing, heard })
    else asks.push({ key: url, request: { method: 'GET', url, timeout: TIMEOUT } })
  }
  return { told, asks }
}

type Followed = Readonly<{ router: TrafficRouter<unknown>; followers: Followers<unknown>; config: unknown }>

/** The rollout's routers that have followers, with their configuration. */
function followedRouters(seen: Observed, known: Knowing): readonly Followed[] {
  return namedRouters(seen.rollout, known).flatMap(({ router, config }) => {
    const parsed = router?.followers && router.config.safeParse(config)
    return router?.followers && parsed?.success ? [{ router, followers: router.followers, config: parsed.data }] : []
  })
}

export type LetGo = Readonly<{ isFree: boolean; part: Part }>
const FREE: LetGo = { isFree: true, part: NOTHING }

/** May the pods of a version go, whose time was over at `since`? Not while a follower has requests for them, within the
 * router's patience. */
export function isLetGo(seen: Observed, known: Knowing, hash: string, since: Millis, now: Millis): LetGo {
  for (const { followers, config } of followedRouters(seen, known)) {
    if (now - since >= followers.patience(config)) continue
    const { told, asks } = pollFollowers(seen, known, followers, true)
    if (asks.length > 0) return { isFree: false, part: part({ asks }) }
    const of = { namespace: seen.namespace, name: seen.rollout.metadata.name, hash }
    const { count, reason } = followers.underWay(config, of, seen.look, told)
    const because = [`ReplicaSet ${hash} stays: ${reason}`]
    if (count > 0) return { isFree: false, part: part({ because, recheckAt: now + AGAIN }) }
  }
  return FREE
}

export type Alarm = Readonly<{ part: Part; intent: PauseIntent }>
const QUIET: Alarm = { part: NOTHING, intent: NO_INTENT }

/** A follower that has found the canary bad by itself ends the release. */
export function planAlarm(seen: Observed, known: Knowing, now: Millis): Alarm {
  const weight = seen.status.canary?.weights?.canary?.weight ?? 0
  const { newRS, status } = seen
  if (weight === 0 || !newRS || isAborted(status) || hashOf(newRS) === status.stableRS) return QUIET
  let alarm = QUIET
  for (const { followers, config } of followedRouters(seen, known)) {
    const every = followers.alarm?.every(config)
    if (!followers.alarm || every === undefined) continue
    const { told, asks } = pollFollowers(seen, known, followers, false)
    if (asks.length > 0) return { part: part({ asks }), intent: NO_INTENT }
    const of = { namespace: seen.namespace, name: seen.rollout.metadata.name, hash: hashOf(newRS) }
    const text = followers.alarm.read(config, of, told)
    if (text !== undefined) return { part: part({ because: [text] }), intent: { ...NO_INTENT, abort: text } }
    alarm = { part: part({ recheckAt: now + every }), intent: NO_INTENT }
  }
  return alarm
}
