// The shared connections to one pod: on which a request goes, how many may wait on one, and when it is better to share
// none.
import { Lane, type Seat } from './lane.ts'
import type { Pool } from './pools.ts'
import type { Asker } from './upstream.ts'

/** Connections that are shared; with more the batches get small. */
const MOST_LANES = 8
/** Requests that wait on one, where answers come fast. */
const MOST_DEPTH = 32
/** Answers come one after the other: no more wait on a connection than are answered within so many milliseconds. */
const QUEUE_MS = 10
/** Nobody joins a pod that is at an answer for longer, in milliseconds. */
const SLOW_MS = 20
/** Those who wait behind one answer for longer are moved, in milliseconds; looked at every `LOOK_MS`. */
const STALL_MS = 200
const LOOK_MS = 50
/** Nothing is shared for so long after trouble, in milliseconds; doubled with each further trouble. */
const REST_MS = 5000
const LONGEST_REST_MS = 60_000
/** Answers after which a connection that ends was a good one. */
const GOOD = 100

/** Of one pod. */
export class Lanes {
  private readonly pool: Pool
  private readonly now: () => number
  private lanes: Lane[] = []
  /** Milliseconds between two answers, as of late. */
  private pace = 0
  private restsUntil = Number.NEGATIVE_INFINITY
  private restMs = REST_MS
  private looking: NodeJS.Timeout | undefined
  private looked = 0

  constructor(pool: Pool, now: () => number = () => performance.now()) {
    this.pool = pool
    this.now = now
  }

  /** A place on one of them; undefined: the request takes a connection of its own. */
  seat(asker: Asker, now: number): Seat | undefined {
    if (now < this.restsUntil || this.pool.isRetired) return undefined
    const depth = Math.max(1, Math.min(MOST_DEPTH, Math.floor(QUEUE_MS / Math.max(this.pace, 0.001))))
    for (const lane of this.lanes) {
      if (!lane.takes(depth) || lane.age(now) > SLOW_MS) continue
      if (lane.size > 0) this.look()
      return lane.sit(asker, now)
    }
    if (this.lanes.length >= MOST_LANES) this.giveUpStuck(now)
    if (this.lanes.length >= MOST_LANES || this.lanes.some(lane => !lane.isConnected)) return undefined
    const lane = new Lane(this.pool, this)
    this.lanes.push(lane)
    return lane.sit(asker, now)
  }

  /** Those that have been at one answer for long, such as a stream, are left to it. */
  private giveUpStuck(now: number): void {
    this.lanes = this.lanes.filter(lane => {
      const isStuck = !lane.isHolding && lane.isConnected && lane.age(now) > STALL_MS
      if (isStuck) lane.retire()
      return !isStuck
    })
  }

  /** An answer came so many milliseconds after the one before. */
  took(ms: number): void {
    this.pace += (ms - this.pace) / 16
  }

  /** A connection ended with requests waiting, after so many answers. */
  ended(answers: number): void {
    if (answers < GOOD) this.rest()
  }

  /** Something went wrong that others should not suffer from. */
  rest(): void {
    const now = this.now()
    if (now < this.restsUntil) return
    this.restMs = now - this.restsUntil > LONGEST_REST_MS ? REST_MS : Math.min(LONGEST_REST_MS, 2 * this.restMs)
    this.restsUntil = now + this.restMs
  }

  forget(lane: Lane): void {
    this.lanes = this.lanes.filter(other => other !== lane)
  }

  /** Closes those that nobody uses. */
  sweep(now: number): void {
    for (const lane of this.lanes) if (lane.size === 0 && lane.expires <= now) lane.close()
  }

  /** Idle ones end now, busy ones with their last answer. */
  retire(): void {
    for (const lane of this.lanes) if (lane.size === 0) lane.close()
  }

  /** Somebody waits behind somebody: not for long. */
  private look(): void {
    if (this.looking !== undefined) return
    this.looked = this.now()
    this.looking = setTimeout(() => this.moveStalled(), LOOK_MS).unref()
  }

  private moveStalled(): void {
    this.looking = undefined
    const now = this.now()
    // What this thread was too busy to read is nobody's fault.
    const isLate = now - this.looked > 2 * LOOK_MS
    for (const lane of this.lanes) {
      if (!lane.isHolding) continue
      if (lane.age(now) <= STALL_MS || isLate) {
        this.look()
        continue
      }
      this.rest()
      lane.moveRest()
    }
  }
}
