// The counters of one version behind one route, laid out in memory that threads share: a worker counts, the main thread
// reads, and no message passes. Only `stats.ts` and the engine write them.
import { BUCKETS, type Histogram } from './histogram.ts'

/** Longest window that can be asked for, in seconds; as many slots are kept. */
export const LONGEST_WINDOW = 300

const CLASSES = 6
const NUMBERS = 14
/** The numbers that are no counts. */
const TOUCHED = 8
const BEGAN = 12
/** What `counts` leaves out: moments, and what is open now. */
const UNCOUNTED = new Set([TOUCHED, BEGAN, 5, 6])
/** In a slot: its second, requests, errors, and then the histogram. */
export const SLOT = { second: 0, requests: 1, errors: 2, histogram: 3 }
export const SLOT_SIZE = SLOT.histogram + BUCKETS
const BYTES = 8 * (CLASSES + NUMBERS) + 4 * (BUCKETS + LONGEST_WINDOW * SLOT_SIZE)

/** Which version behind which route. */
export type SeriesName = Readonly<{ route: string; role: string; hash: string }>

export class Series {
  readonly route: string
  readonly role: string
  readonly hash: string
  /** For people: the Service or address. */
  target = ''
  readonly memory: SharedArrayBuffer
  /** Finished requests by status class: 1xx..5xx at 1..5; 0: the client left before an answer. */
  readonly classes: Float64Array
  readonly histogram: Histogram
  /** The last seconds, slot by slot, used round and round. A page of it is real memory once it is written to. */
  readonly slots: Uint32Array
  private readonly numbers: Float64Array

  /** `memory`: of a series that another thread counts. */
  constructor({ route, role, hash }: SeriesName, memory = new SharedArrayBuffer(BYTES)) {
    this.route = route
    this.role = role
    this.hash = hash
    this.memory = memory
    this.classes = new Float64Array(memory, 0, CLASSES)
    this.numbers = new Float64Array(memory, 8 * CLASSES, NUMBERS)
    const from = 8 * (CLASSES + NUMBERS)
    this.histogram = new Uint32Array(memory, from, BUCKETS)
    this.slots = new Uint32Array(memory, from + 4 * BUCKETS, LONGEST_WINDOW * SLOT_SIZE)
  }

  /** 5xx answers, and requests to which the version gave no whole answer. */
  get errors(): number {
    return this.numbers[0]!
  }
  set errors(n: number) {
    this.numbers[0] = n
  }

  /** Of the errors, those without a whole answer from a pod (connect failed, cut off, too slow, no pod). */
  get failures(): number {
    return this.numbers[1]!
  }
  set failures(n: number) {
    this.numbers[1] = n
  }

  get aborts(): number {
    return this.numbers[2]!
  }
  set aborts(n: number) {
    this.numbers[2] = n
  }

  get retries(): number {
    return this.numbers[3]!
  }
  set retries(n: number) {
    this.numbers[3] = n
  }

  get mirrored(): number {
    return this.numbers[4]!
  }
  set mirrored(n: number) {
    this.numbers[4] = n
  }

  /** Requests that were not copied: too long, or this version has not answered the copies before. */
  get unmirrored(): number {
    return this.numbers[13]!
  }
  set unmirrored(n: number) {
    this.numbers[13] = n
  }

  get inFlight(): number {
    return this.numbers[5]!
  }
  set inFlight(n: number) {
    this.numbers[5] = n
  }

  get tunnels(): number {
    return this.numbers[6]!
  }
  set tunnels(n: number) {
    this.numbers[6] = n
  }

  /** Sum of all durations, in seconds. */
  get seconds(): number {
    return this.numbers[7]!
  }
  set seconds(n: number) {
    this.numbers[7] = n
  }

  /** Of its failed requests, those that stable answered instead. */
  get rescued(): number {
    return this.numbers[9]!
  }
  set rescued(n: number) {
    this.numbers[9] = n
  }

  /** Octets from clients, in TCP mode. */
  get received(): number {
    return this.numbers[10]!
  }
  set received(n: number) {
    this.numbers[10] = n
  }

  /** Octets to clients, in TCP mode. */
  get sent(): number {
    return this.numbers[11]!
  }
  set sent(n: number) {
    this.numbers[11] = n
  }

  /** When it was last written, in milliseconds since the epoch. */
  get touched(): number {
    return this.numbers[TOUCHED]!
  }
  set touched(n: number) {
    this.numbers[TOUCHED] = n
  }

  /** Since when it is observed, in milliseconds since the epoch. */
  get began(): number {
    return this.numbers[BEGAN]!
  }
  set began(n: number) {
    this.numbers[BEGAN] = n
  }

  /** All that has been counted, the windows aside, in an order that may differ from version to version. */
  *counts(): Generator<number> {
    yield* this.classes
    for (const [i, n] of this.numbers.entries()) yield UNCOUNTED.has(i) ? 0 : n
    yield* this.histogram
  }

  /** Adds to what `counts` gives. */
  addCounts(counts: readonly number[]): void {
    const at = CLASSES + NUMBERS
    for (let i = 0; i < CLASSES; i++) this.classes[i]! += counts[i] ?? 0
    for (let i = 0; i < NUMBERS; i++) this.numbers[i]! += counts[CLASSES + i] ?? 0
    for (let i = 0; i < BUCKETS; i++) this.histogram[i]! += counts[at + i] ?? 0
  }

  /** Adds another thread's counts of the same version, the windows aside. */
  add(other: Series): void {
    for (let i = 0; i < CLASSES; i++) this.classes[i]! += other.classes[i]!
    for (let i = 0; i < NUMBERS; i++) if (i !== TOUCHED && i !== BEGAN) this.numbers[i]! += other.numbers[i]!
    for (let i = 0; i < BUCKETS; i++) this.histogram[i]! += other.histogram[i]!
    this.touched = Math.max(this.touched, other.touched)
    this.began = this.began === 0 ? other.began : Math.min(this.began, other.began)
  }
}
