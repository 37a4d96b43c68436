// A simulated node: binds every Pod to itself, writes the statuses that its runtime reports, and ends deleted Pods.
import { type Millis, sameJson } from '../contract.ts'
import type { Clock } from '../ports.ts'
import { addressOf, ending, type Life, lifecycle, type PodStatus, type SimPod } from './lifecycle.ts'
import type { PodApi } from './pod-api.ts'

/** What 'runs' the Pods of a node. Times are milliseconds since the epoch. */
export type Runtime = Readonly<{
  /** The status that a Pod bound at `since` has at `now`. */
  life(pod: SimPod, since: Millis, now: Millis): Life
  /** A deleted Pod: when it may be removed (undefined: `wake` will tell), and the status to write before. */
  end(pod: SimPod, noticed: Millis, now: Millis): Readonly<{ at?: Millis; last?: PodStatus }>
  /** The Pod is gone from the API: stop whatever is left of it. */
  forget(uid: string): void
  stop(): Promise<void>
}>

/** Makes a runtime; it calls `wake` when the status of a Pod has changed by itself. */
export type MakeRuntime = (wake: (uid: string) => void) => Runtime

export type KubeletOptions = Readonly<{
  pods: PodApi
  clock: Clock
  runtime: MakeRuntime
  nodeName?: string
  /** Told of requests that failed; they are tried again. */
  failed?: (error: unknown, pod: SimPod) => void
}>

type Seat = { pod: SimPod; since?: Millis; noticed?: Millis; timer?: () => void; busy: boolean; again: boolean }

/** What the simulated node is called, unless told otherwise. */
export const NODE = 'sim-node'

const RETRY = 200

/** Starts the node; `stop` ends what it runs and leaves the API alone. */
export function startKubelet(options: KubeletOptions): Readonly<{ stop(): Promise<void> }> {
  const { pods, clock, nodeName = NODE, failed = () => {} } = options
  const seats = new Map<string, Seat>()
  let stopped = false

  const wake = (uid: string) => {
    const seat = seats.get(uid)
    if (!seat || stopped) return
    if (seat.busy) {
      seat.again = true
      return
    }
    seat.busy = true
    queueMicrotask(() => void run(uid, seat))
  }
  const wakeAt = (uid: string, seat: Seat, time: Millis) => {
    seat.timer?.()
    seat.timer = clock.at(time, () => wake(uid))
  }
  const runtime = options.runtime(wake)

  const run = async (uid: string, seat: Seat) => {
    seat.again = false
    try {
      // Not awaited when there is nothing to wait for: the embedded server answers at once.
      const work = sync(uid, seat)
      if (work) await work
    } catch (error) {
      failed(error, seat.pod)
      if (!stopped) wakeAt(uid, seat, clock.now() + RETRY)
    }
    seat.busy = false
    if (seat.again) wake(uid)
  }

  /** At most one write, then the time of the next look. */
  const sync = (uid: string, seat: Seat): Promise<void> | void => {
    const { pod } = seat
    const now = clock.now()
    if (stopped || seats.get(uid) !== seat) return
    if (pod.metadata.deletionTimestamp !== undefined) return end(uid, seat, now)
    if ((pod.spec.nodeName ?? '') === '') return pods.bind(pod, nodeName)
    seat.since ??= pod.status?.startTime === undefined ? now : Date.parse(pod.status.startTime)
    const { status, again } = runtime.life(pod, seat.since, now)
    if (again !== undefined) wakeAt(uid, seat, again)
    if (!sameJson(status, pod.status)) return pods.writeStatus(pod, status)
  }

  const end = (uid: string, seat: Seat, now: Millis): Promise<void> | void => {
    seat.noticed ??= now
    const { at, last } = runtime.end(seat.pod, seat.noticed, now)
    if (at === undefined) return
    if (at > now) {
      wakeAt(uid, seat, at)
      return
    }
    if (last && !sameJson(last, seat.pod.status)) return pods.writeStatus(seat.pod, last)
    return pods.remove(seat.pod)
  }

  const unwatch = pods.watch((type, pod) => {
    const uid = pod.metadata.uid ?? ''
    if (type === 'DELETED') {
      seats.get(uid)?.timer?.()
      seats.delete(uid)
      runtime.forget(uid)
      return
    }
    if ((pod.spec.nodeName ?? nodeName) !== nodeName && pod.spec.nodeName !== '') return
    const seat = seats.get(uid)
    if (seat) seat.pod = pod
    else seats.set(uid, { pod, busy: false, again: false })
    wake(uid)
  })

  return {
    async stop() {
      stopped = true
      unwatch()
      for (const seat of seats.values()) seat.timer?.()
      seats.clear()
      await runtime.stop()
    },
  }
}

export type StageOptions = Readonly<{
  /** How long after it is bound a Pod runs; default 2000 ms. */
  start?: Millis
  /** Pods start up to so much later, each by its own share, so that they do not all get ready in one moment. */
  spread?: Millis
  /** The least time between the deletion of a Pod and its removal; default 200 ms. */
  removal?: Millis
  address?: (uid: string) => string
}>

/** Pods that run nothing: their status is a function of their age. */
export function stages(options: StageOptions = {}): MakeRuntime {
  const { start = 2000, spread = 0, removal = 200, address = addressOf } = options
  return () => ({
    life(pod, since, now) {
      const uid = pod.metadata.uid ?? ''
      return lifecycle(pod, since, now, { start: start + share(uid, spread), ip: address(uid) })
    },
    end: (pod, noticed) => ending(pod, noticed, removal),
    forget() {},
    async stop() {},
  })
}

const share = (uid: string, spread: Millis): Millis => {
  if (spread === 0) return 0
  let sum = 0
  for (let i = 0; i < uid.length; i++) sum = (sum * 31 + uid.charCodeAt(i)) >>> 0
  return sum % spread
}
