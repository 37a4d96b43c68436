// Leader election by a Lease, compatible with the one that Argo's controller holds: whoever holds it works, all others
// wait. Times are told by our own monotonic clock, never by comparing clocks of two machines (kube.md 14.2).
import { type KubeObject, type Millis, type Ref, sameJson } from '../contract.ts'
import { isConflict, unlessNotFound } from '../kube/errors.ts'
import type { Clock, Kube, Log, Random } from '../ports.ts'

/** argo: this name, with `-<instance id>` when there is one. */
export const LEASE_NAME = 'argo-rollouts-controller-lock'

export type Timings = Readonly<{
  /** How long others wait for a holder that says nothing any more. */
  leaseDuration: Millis
  /** How long a holder may go on without a renewal that succeeded. Less than leaseDuration. */
  renewDeadline: Millis
  /** How often it is tried. Less than renewDeadline. */
  retryPeriod: Millis
}>

export const TIMINGS: Timings = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 }

export type LeaderOptions = Readonly<{
  /** A door of its own: renewals wait behind nothing. */
  kube: Kube
  /** Monotonic. */
  clock: Clock
  /** The time of day, for the Lease's own fields. */
  wall: () => Millis
  random: Random
  log: Log
  namespace: string
  name?: string
  /** Who we are; unique for each process. */
  identity: string
  timings?: Timings
}>

export type Leader = Readonly<{
  /** Is the lease surely ours at this very moment? What is written when it is not may meet another leader's writes. */
  isLeading(): boolean
  /** Resolves when the lease is ours. */
  gained: Promise<void>
  /** Resolves when it was ours and is so no longer; never after `stop`. */
  lost: Promise<void>
  /** Stops trying; a lease that is ours is given back, so that the next one need not wait for it to run out. */
  stop(): Promise<void>
}>

type LeaseSpec = Readonly<{
  holderIdentity?: string
  leaseDurationSeconds?: number
  acquireTime?: string
  renewTime?: string
  leaseTransitions?: number
}>

/** An instant as Lease fields want it: RFC 3339 with six digits. */
const micro = (at: Millis): string => new Date(at).toISOString().replace('Z', '000Z')

/** How much longer than retryPeriod a try may be put off, as client-go has it. */
const JITTER = 1.2

/** Tries for the lease until `stop`. */
export function startLeader(options: LeaderOptions): Leader {
  const { kube, clock, wall, random, log, namespace, identity, timings = TIMINGS, name = LEASE_NAME } = options
  const ref: Ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }
  const gained = Promise.withResolvers<void>()
  const lost = Promise.withResolvers<void>()
  let leaderUntil = Number.NEGATIVE_INFINITY
  let wasLeading = false
  let isStopped = false
  let cancel = (): void => {}
  /** What others wrote, and when we saw it change. */
  let seen: { spec: LeaseSpec; at: Millis } | undefined
  let running: Promise<void> = Promise.resolve()

  const attempt = async (): Promise<boolean> => {
    const lease = await kube.get(ref).catch(unlessNotFound)
    if (!lease) {
      const spec = claim({}, true)
      await kube.perform({ verb: 'create', object: { ...refObject(ref), spec }, why: 'nobody has the lease' })
      return true
    }
    const spec = (lease['spec'] ?? {}) as LeaseSpec
    const isOurs = spec.holderIdentity === identity
    if (!isOurs && !isFree(spec)) return false
    await kube.perform({
      verb: 'patch',
      ref,
      type: 'merge',
      patch: { spec: claim(spec, !isOurs) },
      resourceVersion: lease.metadata.resourceVersion ?? '',
      why: isOurs ? 'renewal' : 'the lease is free',
    })
    return true
  }

  /** Given back, or unchanged for as long as its holder said it would last, as seen from here. */
  const isFree = (spec: LeaseSpec): boolean => {
    if (!seen || !sameJson(seen.spec, spec)) seen = { spec, at: clock.now() }
    if (!spec.holderIdentity) return true
    return clock.now() >= seen.at + (spec.leaseDurationSeconds ?? timings.leaseDuration / 1000) * 1000
  }

  const claim = (spec: LeaseSpec, isNew: boolean): LeaseSpec => {
    const now = micro(wall())
    const renewal = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(timings.leaseDuration / 1000),
      renewTime: now,
    }
    if (!isNew) return renewal
    const isFirst = spec.holderIdentity === undefined && spec.leaseTransitions === undefined
    return { ...renewal, acquireTime: now, leaseTransitions: isFirst ? 0 : (spec.leaseTransitions ?? 0) + 1 }
  }

  const turn = async (): Promise<void> => {
    const began = clock.now()
    try {
      if (await attempt()) {
        // Counted from before the request: the lease may have been renewed at any moment of it.
        leaderUntil = began + timings.renewDeadline
        if (!wasLeading) log.info({ lease: `${namespace}/${name}`, identity }, 'leads')
        wasLeading = true
        gained.resolve()
      } else if (wasLeading) leaderUntil = Number.NEGATIVE_INFINITY
    } catch (error) {
      if (!isLate(error)) log.warn({ lease: `${namespace}/${name}`, error: String(error) }, 'lease not renewed')
    }
    if (wasLeading && clock.now() >= leaderUntil) {
      log.error({ lease: `${namespace}/${name}`, identity }, 'no longer leads')
      isStopped = true
      lost.resolve()
    }
  }

  const again = (delay: Millis): void => {
    if (isStopped) return
    cancel = clock.at(clock.now() + delay, () => {
      running = turn().then(() => again(nextDelay()))
    })
  }

  /** A leader looks again in time to notice its own end; others spread themselves. */
  const nextDelay = (): Millis => {
    if (!wasLeading) return timings.retryPeriod * (1 + JITTER * random())
    return Math.max(1, Math.min(timings.retryPeriod, leaderUntil - clock.now()))
  }

  again(0)
  return {
    isLeading: () => clock.now() < leaderUntil,
    gained: gained.promise,
    lost: lost.promise,
    async stop() {
      isStopped = true
      cancel()
      await running
      if (clock.now() >= leaderUntil) return
      leaderUntil = Number.NEGATIVE_INFINITY
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: micro(wall()) }
      await kube
        .perform({ verb: 'patch', ref, type: 'merge', patch: { spec }, why: 'stops: the next one need not wait' })
        .catch((error: unknown) => log.warn({ error: String(error) }, 'lease not given back'))
    },
  }
}

/** Somebody else was faster: with an update, or with making the lease. */
const isLate = (error: unknown): boolean =>
  isConflict(error) || (error as { reason?: unknown }).reason === 'AlreadyExists'

const refObject = ({ apiVersion, kind, namespace, name }: Ref): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
})
