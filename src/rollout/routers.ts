// Hands the desired traffic to every configured router and collects what they want to write.
import type { Rollout } from '../api/rollout.ts'
import {
  type Action,
  type Desired,
  type Inquired,
  type Inquiry,
  type KubeObject,
  type Millis,
  TerminalError,
  type TrafficRouter,
} from '../contract.ts'
import { pollFollowers } from './followers.ts'
import { TRAFFIC } from './keys.ts'
import type { Observed } from './observe.ts'
import { join, NOTHING, type Part, part, warning } from './part.ts'
import type { Known } from './plan.ts'
import { currentStep, isFullyPromoted } from './progress.ts'

export type Routed = Readonly<{
  actions: readonly Action[]
  /** All routers that give feedback agree; null: none does. */
  verified: boolean | null
  /** While not verified: what is waited for, questions to followers, and when to look again. */
  waits: Part
  /** Fields of the status that a provider was asked for. */
  status: Inquired['status']
  problem?: TerminalError
}>

/** argo: providers are driven in this order; plugins come last. */
const ORDER = ['istio', 'nginx', 'alb', 'smi', 'ambassador', 'appMesh', 'traefik', 'apisix']
const NOT_ROUTERS = new Set(['plugins', 'managedRoutes', 'maxTrafficWeight'])

export type Configured = Readonly<{ name: string; router: TrafficRouter<unknown> | undefined; config: unknown }>

/** The routers that a rollout names, with their configuration; `router` undefined when we have none of that name. */
export function configuredRouters(seen: Pick<Observed, 'spec'>, known: Pick<Known, 'routers'>): readonly Configured[] {
  const routing = seen.spec.strategy?.canary?.trafficRouting
  if (!routing) return []
  const { plugins = {} } = routing as { plugins?: Record<string, unknown> }
  const builtIn = Object.entries(routing)
    .filter(([name, config]) => !NOT_ROUTERS.has(name) && config != null)
    .toSorted(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b))
  return [...builtIn, ...Object.entries(plugins ?? {})].map(([name, config]) => ({
    name,
    router: known.routers[name],
    config,
  }))
}

/** The router that the annotation pintle.dev/traffic asks for in blue-green: a name such as `proxy`, or JSON that gives
 * its configuration too, `{"pintle/proxy": {"pathPrefix": "/pay"}}`. Undefined without the annotation. */
export function annotatedRouter(rollout: KubeObject, known: Pick<Known, 'routers'>): Configured | undefined {
  const text = rollout.metadata.annotations?.[TRAFFIC]
  if (!text) return undefined
  const [name, config] = readAnnotation(text)
  return { name, router: known.routers[name] ?? known.routers[`pintle/${name}`], config }
}

/** All routers that a rollout names: in its strategy, and by the annotation. */
export function namedRouters(rollout: Rollout, known: Pick<Known, 'routers'>): readonly Configured[] {
  const annotated = annotatedRouter(rollout, known)
  return [...configuredRouters(rollout, known), ...(annotated ? [annotated] : [])]
}

function readAnnotation(text: string): readonly [string, unknown] {
  if (!text.trimStart().startsWith('{')) return [text, {}]
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>)
    return entries[0] ?? [text, {}]
  } catch {
    return [text, {}]
  }
}

/** How soon a router that has not followed is looked at again. argo: 10 s. */
const AGAIN: Millis = 10_000

/** The writes of all routers for `desired`. Each is asked, also after one that cannot: a broken router must not keep
 * the others from taking traffic off a bad version. argo stops at the first. `isConfirmed`: the routers were seen to
 * serve these very weights before. */
export function planRouters(
  seen: Observed,
  known: Known,
  desired: Desired,
  why: string,
  isConfirmed: boolean,
  now: Millis,
): Routed {
  const actions: Action[] = []
  let verified: boolean | null = null
  let waits = NOTHING
  let status = toldByProviders(seen, known)
  let problem: TerminalError | undefined
  for (const { name, router, config } of configuredRouters(seen, known)) {
    try {
      const parsed = parseConfig(name, router, config, known)
      refuseExtras(name, parsed.router, desired)
      const writes = parsed.router.plan(parsed.config, desired, seen.look)
      actions.push(...writes.map(action => ({ ...action, why: `${action.why}: ${why}` })))
      const followed = observeRouter(seen, known, parsed, desired, writes.length === 0 && isConfirmed, now)
      waits = join(waits, followed.waits)
      status = { ...status, ...followed.status }
      if (followed.verified !== null) verified = followed.verified && verified !== false
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error
      actions.push(...error.actions)
      problem ??= error
    }
  }
  return { actions, verified, waits, status, ...(problem ? { problem } : {}) }
}

type Parsed = Readonly<{ router: TrafficRouter<unknown>; config: unknown }>

type Followed = Readonly<{ verified: boolean | null; waits: Part; status?: Inquired['status'] }>

/** Has the router followed? One with followers is asked through them, once for each change. `verified` null: it cannot
 * say. `waits`: questions to followers, what they complain of, and when to look again. */
export function observeRouter(
  seen: Observed,
  known: Known,
  { router, config }: Parsed,
  desired: Desired,
  isConfirmed: boolean,
  now: Millis,
): Followed {
  if (router.inquiry) return inquire(seen, known, router.inquiry, config, desired, isConfirmed, now)
  if (!router.observe) return { verified: null, waits: NOTHING }
  if (router.followers && isConfirmed) return { verified: true, waits: NOTHING }
  const { told, asks } = router.followers ? pollFollowers(seen, known, router.followers, false) : { told: [], asks: [] }
  if (asks.length > 0) return { verified: false, waits: part({ asks }) }
  const { verified, reason, again = AGAIN, complaint } = router.observe(config, desired, seen.look, told)
  const heard = complaint === undefined ? NOTHING : complained(complaint)
  if (verified !== false) return { verified, waits: heard }
  return { verified, waits: join(heard, part({ because: [reason], recheckAt: now + again })) }
}

/** Asks the provider, where the operator wants it and it counts. argo: else only as long as the status says nothing. */
function inquire(
  seen: Observed,
  known: Known,
  inquiry: Inquiry<unknown>,
  config: unknown,
  desired: Desired,
  isConfirmed: boolean,
  now: Millis,
): Followed {
  if (!known.asksProviders) return { verified: null, waits: NOTHING }
  const before = toldByProviders(seen, known)
  if (!doesWeightCount(seen, desired) && (before.alb || before.albs)) return { verified: null, waits: NOTHING }
  if (isConfirmed) return { verified: true, waits: NOTHING }
  const requests = inquiry.asks(config, desired, seen.look)
  const asks = requests.filter(({ url }) => !seen.heard?.has(url)).map(request => ({ key: request.url, request }))
  if (asks.length > 0) return { verified: false, waits: part({ asks }) }
  const { verified, reason, events, error, status } = inquiry.read(
    config,
    desired,
    seen.look,
    seen.heard ?? new Map(),
    before,
  )
  const trouble = error === undefined ? [] : [warning('WeightVerifyError', `Failed to verify weight: ${error}`)]
  const waits = part({
    events: [...events, ...trouble],
    ...(verified ? {} : { because: [reason], recheckAt: now + AGAIN }),
  })
  return { verified, waits, status }
}

/** What providers have told before, for as long as they are asked. */
export function toldByProviders({ status: { alb, albs } }: Observed, { asksProviders }: Known): Inquired['status'] {
  return asksProviders ? { ...(alb ? { alb } : {}), ...(albs ? { albs } : {}) } : {}
}

/** Is a weight just being set, or are all steps done and the old version about to go? */
function doesWeightCount(seen: Observed, desired: Desired): boolean {
  const { status } = seen
  if (!status.stableRS || isFullyPromoted(status)) return false
  const step = currentStep(seen)
  if (step) return step.setWeight != null
  return desired.dests.some(dest => dest.role === 'canary' && dest.weight === desired.total)
}

const complained = (complaint: string): Part =>
  part({ events: [warning('TrafficRoutingError', complaint)], because: [complaint] })

/** What a router cannot express is refused, not dropped. */
function refuseExtras(name: string, { caps }: TrafficRouter<unknown>, { dests }: Desired): void {
  const extras = dests.filter(({ role }) => role === 'extra').length
  if (extras <= caps.maxExtras) return
  const most = caps.maxExtras === 0 ? 'none' : `at most ${caps.maxExtras}`
  const text = `router ${name} is to send traffic to ${extras} templates of an experiment, but can serve ${most}`
  throw new TerminalError('TooManyDestinations', text)
}

function parseConfig(name: string, router: TrafficRouter<unknown> | undefined, config: unknown, known: Known) {
  if (!router) {
    const names = Object.keys(known.routers).join(', ')
    throw new TerminalError('UnknownRouter', `there is no traffic router ${name}; this version has: ${names}`)
  }
  const parsed = router.config.safeParse(config)
  if (parsed.success) return { router, config: parsed.data }
  const issue = parsed.error.issues[0]
  const where = ['trafficRouting', name, ...(issue?.path ?? [])].join('.')
  throw new TerminalError('InvalidRouterConfig', `${where}: ${issue?.message ?? 'invalid'}`)
}
