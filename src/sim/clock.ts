// Virtual time: a heap of timers that somebody advances; and the system's own clock behind the same port.
import type { Millis } from '../contract.ts'
import type { Clock, Random } from '../ports.ts'

type Timer = { readonly time: Millis; readonly order: number; run: (() => void) | undefined }

const before = (a: Timer, b: Timer): boolean => a.time < b.time || (a.time === b.time && a.order < b.order)

/** A clock that stands still until it is advanced. Timers run in order of time, then of being set. */
export type VirtualClock = Clock &
  Readonly<{
    /** When the next timer is due; undefined: none is set. */
    next(): Millis | undefined
    /** Runs every timer due until `time`, each with the clock at its own time, then stands at `time`. */
    advanceTo(time: Millis): void
    /** How many timers have been set so far; with `next` it tells whether anything has happened. */
    timersSet(): number
  }>

/** A virtual clock that stands at `start` (milliseconds since the epoch). */
export function virtualClock(start: Millis): VirtualClock {
  const heap: Timer[] = []
  let now = start
  let order = 0

  const next = (): Millis | undefined => {
    while (heap[0] && !heap[0].run) pop(heap)
    return heap[0]?.time
  }

  return {
    now: () => now,
    at(time, run) {
      const timer: Timer = { time: Math.max(time, now), order: order++, run }
      push(heap, timer)
      return () => {
        timer.run = undefined
      }
    },
    next,
    advanceTo(time) {
      for (let due = next(); due !== undefined && due <= time; due = next()) {
        now = Math.max(now, due)
        const { run } = pop(heap)!
        run?.()
      }
      now = Math.max(now, time)
    },
    timersSet: () => order,
  }
}

function push(heap: Timer[], timer: Timer): void {
  let at = heap.length
  heap.push(timer)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!before(heap[at]!, heap[parent]!)) return
    swap(heap, at, parent)
    at = parent
  }
}

function pop(heap: Timer[]): Timer | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (!top || !last || heap.length === 0) return top
  heap[0] = last
  for (let at = 0; ; ) {
    const left = 2 * at + 1
    let least = at
    for (const child of [left, left + 1]) if (heap[child] && before(heap[child], heap[least]!)) least = child
    if (least === at) return top
    swap(heap, at, least)
    at = least
  }
}

function swap(heap: Timer[], a: number, b: number): void {
  const kept = heap[a]!
  heap[a] = heap[b]!
  heap[b] = kept
}

const LONGEST = 2 ** 31 - 1

/** The machine's own time. Its timers do not keep the process alive when `unref` is true. */
export function systemClock(options: Readonly<{ unref?: boolean }> = {}): Clock {
  return {
    now: () => Date.now(),
    at(time, run) {
      let timer: NodeJS.Timeout
      const wait = () => {
        const left = Math.max(0, time - Date.now())
        // setTimeout takes 31 bits; whoever waits for longer waits in pieces.
        timer = left > LONGEST ? setTimeout(wait, LONGEST) : setTimeout(run, left)
        if (options.unref) timer.unref()
      }
      wait()
      return () => clearTimeout(timer)
    },
  }
}

/** The same numbers in [0, 1) for the same seed, on every machine. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}
