// Keys to work on: coalesced, never one key twice at once, failed ones later, a bad one nobody else's trouble.
import type { Millis } from '../contract.ts'
import type { Clock, Log, Random, Result } from '../ports.ts'
import { createDue } from './due.ts'
import { ApiError } from './errors.ts'
import { sleep } from './sleep.ts'

export type Priority = 'normal' | 'low'

export type QueueOptions<K> = Readonly<{
  clock: Clock
  random: Random
  log?: Log
  /** How many runs may be under way at once. */
  concurrency: number
  /** Equal keys have equal texts. */
  keyText: (key: K) => string
  /** Works on a key. The signal fires at the deadline and when the queue stops. */
  run: (key: K, signal: AbortSignal) => Promise<Result>
  /** Hears every failure, with how many there were in a row; without it failures are logged. */
  onError?: (key: K, error: unknown, failures: number) => void
  /** Hears every run: how long the key had waited, how long the run took, in milliseconds. */
  onDone?: (key: K, run: Readonly<{ waited: Millis; took: Millis; failed: boolean }>) => void
  /** Awaited after each run, to let sockets and probes have their turn; leave it out under a virtual clock. */
  yield?: () => Promise<void>
  /** How long a run may take before it is told to stop and no longer counts against `concurrency`; 60 s. */
  deadline?: Millis
}>

/** Keys that wait, and how long the runs under way take already, in milliseconds. */
export type Load = Readonly<{ depth: number; running: readonly Millis[] }>

export type Queue<K> = Readonly<{
  /** Soon. A key that is being worked on runs again afterwards. */
  add(key: K, priority?: Priority): void
  /** At a time of the clock; an earlier time that was asked for stays. */
  addAt(key: K, at: Millis): void
  /** Keys ready to run. */
  depth(): number
  /** Something is ready or running. */
  busy(): boolean
  /** Failures of a key in a row. */
  failures(key: K): number
  /** Runs past their deadline that have not ended. */
  overdue(): number
  /** What waits and what is worked on, now. */
  load(): Load
  /** Takes nothing more; gives running work `drain` milliseconds (0), then fires its signal. Never rejects. */
  stop(drain?: Millis): Promise<void>
}>

/** Before a key is looked at again whose time is over already, milliseconds. */
const LEAST_WAIT: Millis = 100
const BASE: Millis = 1
const MAX: Millis = 10_000
const JITTER = 0.1

type Ready<K> = Readonly<{ key: K; since: Millis; priority: Priority }>
type Running = { readonly controller: AbortController; readonly began: Millis; isOverdue: boolean }

export function createQueue<K>(options: QueueOptions<K>): Queue<K> {
  const { clock, random, log, concurrency, keyText, run, onError, onDone, deadline = 60_000 } = options
  const ready = { normal: new Map<string, Ready<K>>(), low: new Map<string, Ready<K>>() }
  const again = new Map<string, Ready<K>>() // added while running
  const running = new Map<string, Running>()
  const failures = new Map<string, number>()
  let idle: (() => void)[] = []
  let isStopped = false
  let isPumping = false

  const wake = (key: K) => add(key, 'normal')
  // Rechecks are apart from what others asked for: a newer result replaces the last one, a wish does not.
  const wishes = createDue(clock, wake)
  const rechecks = createDue(clock, wake)

  const add = (key: K, priority: Priority) => {
    if (isStopped) return
    const text = keyText(key)
    const shelf = running.has(text) ? again : ready[priority]
    const known = again.get(text) ?? ready.normal.get(text) ?? ready.low.get(text)
    if (known?.priority === 'low' && priority === 'normal') ready.low.delete(text)
    else if (known) return
    shelf.set(text, { key, since: known?.since ?? clock.now(), priority })
    soon()
  }

  /** Later in this turn: add() runs nobody's code, and adds of one turn are one. */
  const soon = () => {
    if (isPumping) return
    isPumping = true
    queueMicrotask(() => {
      isPumping = false
      pump()
    })
  }

  const slots = () => concurrency - [...running.values()].filter(one => !one.isOverdue).length

  const pump = () => {
    for (let free = slots(); free > 0; free--) {
      const shelf = ready.normal.size > 0 ? ready.normal : ready.low
      const [first] = shelf
      if (!first) return
      shelf.delete(first[0])
      void work(...first)
    }
  }

  const work = async (text: string, { key, since }: Ready<K>) => {
    const began = clock.now()
    const self: Running = { controller: new AbortController(), began, isOverdue: false }
    running.set(text, self)
    const cancel = clock.at(began + deadline, () => {
      self.isOverdue = true
      self.controller.abort(new Error(`still running after ${deadline} ms`))
      log?.error({ key: text, deadline }, 'a run goes on past its deadline; its key is blocked until it ends')
      pump()
    })
    let failed = false
    try {
      finish(text, key, await run(key, self.controller.signal))
    } catch (error) {
      failed = true
      fail(text, key, error)
    }
    cancel()
    quietly('onDone', () => onDone?.(key, { waited: began - since, took: clock.now() - began, failed }))
    await options.yield?.()
    running.delete(text)
    const next = again.get(text)
    again.delete(text)
    if (next && !isStopped) ready[next.priority].set(text, next)
    pump()
    if (running.size > 0) return
    for (const done of idle) done()
    idle = []
  }

  const finish = (text: string, key: K, { recheckAt }: Result) => {
    failures.delete(text)
    rechecks.delete(text)
    if (recheckAt === undefined || isStopped) return
    // What is due by now and was not done waits for something: who looked again at once could do so for ever.
    const now = clock.now()
    rechecks.set(text, recheckAt > now ? recheckAt : now + LEAST_WAIT, key)
  }

  const fail = (text: string, key: K, error: unknown) => {
    const count = (failures.get(text) ?? 0) + 1
    failures.set(text, count)
    const delay = Math.min(MAX, BASE * 2 ** Math.min(count - 1, 30)) * (1 + JITTER * (2 * random() - 1))
    const hint = error instanceof ApiError ? (error.retryAfter ?? 0) : 0
    rechecks.delete(text)
    if (!isStopped) rechecks.set(text, clock.now() + Math.max(delay, hint), key)
    if (onError) quietly('onError', () => onError(key, error, count))
    else log?.error({ key: text, error, failures: count }, 'a run failed')
  }

  const quietly = (name: string, call: () => void) => {
    try {
      call()
    } catch (error) {
      log?.error({ error, callback: name }, 'a callback of the queue failed')
    }
  }

  const depth = () => ready.normal.size + ready.low.size + again.size

  return {
    add: (key, priority = 'normal') => add(key, priority),
    addAt(key, at) {
      if (at <= clock.now()) add(key, 'normal')
      else if (!isStopped) wishes.set(keyText(key), at, key)
    },
    depth,
    busy: () => ready.normal.size + ready.low.size + running.size > 0,
    failures: key => failures.get(keyText(key)) ?? 0,
    load: () => ({ depth: depth(), running: [...running.values()].map(({ began }) => clock.now() - began) }),
    overdue: () => [...running.values()].filter(one => one.isOverdue).length,

    async stop(drain = 0) {
      isStopped = true
      ready.normal.clear()
      ready.low.clear()
      again.clear()
      wishes.clear()
      rechecks.clear()
      if (running.size === 0) return
      const gone = new Promise<void>(done => idle.push(done))
      const patience = new AbortController()
      if (drain > 0) await Promise.race([gone, sleep(clock, drain, patience.signal)])
      patience.abort()
      for (const { controller } of running.values()) controller.abort(new Error('the queue stops'))
    },
  }
}
