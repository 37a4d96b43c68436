// Things that wait for a time, behind one timer: the earliest.
import type { Millis } from '../contract.ts'
import type { Clock } from '../ports.ts'

export type Due<T> = Readonly<{
  /** Wakes `thing`, known by `key`, at `time`; an earlier time that is already set stays. */
  set(key: string, time: Millis, thing: T): void
  delete(key: string): void
  size(): number
  /** Drops everything and the timer. */
  clear(): void
}>

type Entry<T> = Readonly<{ key: string; thing: T; time: Millis; order: number }>

const isBefore = (a: Entry<unknown>, b: Entry<unknown>): boolean =>
  a.time < b.time || (a.time === b.time && a.order < b.order)

/** `wake` gets each thing once, in order of time, then of being set. */
export function createDue<T>(clock: Clock, wake: (thing: T) => void): Due<T> {
  const heap: Entry<T>[] = []
  const current = new Map<string, Entry<T>>() // entries of the heap that are not in here have been replaced
  let order = 0
  let armed: Millis | undefined
  let cancel = () => {}

  const up = (start: number) => {
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!isBefore(heap[at]!, heap[parent]!)) return
      exchange(at, parent)
      at = parent
    }
  }
  const down = () => {
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      let least = at
      for (const child of [left, left + 1])
        if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child
      if (least === at) return
      exchange(at, least)
      at = least
    }
  }
  const exchange = (a: number, b: number) => {
    const kept = heap[a]!
    heap[a] = heap[b]!
    heap[b] = kept
  }
  const pop = () => {
    const last = heap.pop()
    if (last && heap.length > 0) {
      heap[0] = last
      down()
    }
  }
  /** The earliest entry that still counts. */
  const head = (): Entry<T> | undefined => {
    while (heap[0] && current.get(heap[0].key) !== heap[0]) pop()
    return heap[0]
  }

  const arm = () => {
    const next = head()
    if (next?.time === armed) return
    cancel()
    armed = next?.time
    cancel = next ? clock.at(next.time, ring) : () => {}
  }
  const ring = () => {
    armed = undefined
    for (let next = head(); next && next.time <= clock.now(); next = head()) {
      pop()
      current.delete(next.key)
      wake(next.thing)
    }
    arm()
  }

  return {
    set(key, time, thing) {
      const known = current.get(key)
      if (known && known.time <= time) return
      const entry = { key, thing, time, order: order++ }
      current.set(key, entry)
      heap.push(entry)
      up(heap.length - 1)
      arm()
    },
    delete(key) {
      current.delete(key)
      arm()
    },
    size: () => current.size,
    clear() {
      heap.length = 0
      current.clear()
      cancel()
      armed = undefined
    },
  }
}
