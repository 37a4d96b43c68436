// Latencies in log-linear buckets: eight to an octave, so a quantile is right to some six per cent, in 900 bytes.

const LINEAR = 16
const LAST_MICROS = 2 ** 30 - 1

/** Buckets of a histogram: microseconds up to 1,073 s. */
export const BUCKETS = LINEAR + 26 * 8

export type Histogram = Uint32Array

export const newHistogram = (): Histogram => new Uint32Array(BUCKETS)

/** Bucket of a duration in milliseconds. */
export function bucketOf(ms: number): number {
  const us = Math.min(Math.max(0, Math.round(ms * 1000)), LAST_MICROS)
  if (us < LINEAR) return us
  const octave = 31 - Math.clz32(us)
  return LINEAR + (octave - 4) * 8 + ((us >>> (octave - 3)) & 7)
}

/** Lower edge of a bucket in microseconds; that of the next bucket is its upper edge. */
export function edgeOf(bucket: number): number {
  if (bucket < LINEAR) return bucket
  const octave = Math.floor((bucket - LINEAR) / 8) + 4
  return 2 ** octave + ((bucket - LINEAR) % 8) * 2 ** (octave - 3)
}

/** The quantile (0..1) in milliseconds, the middle of its bucket; null when there is nothing. */
export function quantile(histogram: Histogram, q: number): number | null {
  const count = histogram.reduce((sum, n) => sum + n, 0)
  if (count === 0) return null
  let left = Math.max(1, Math.ceil(q * count))
  for (let i = 0; i < BUCKETS; i++) {
    left -= histogram[i]!
    if (left <= 0) return middleOf(i)
  }
  return null
}

/** The middle of a bucket in milliseconds. */
const middleOf = (bucket: number): number => (edgeOf(bucket) + edgeOf(bucket + 1)) / 2 / 1000

/** The buckets that hold something, as pairs of their middle in milliseconds and their count, ascending. */
export const pairsOf = (histogram: Histogram): readonly (readonly [ms: number, count: number])[] =>
  [...histogram].flatMap((count, bucket) => (count > 0 ? [[middleOf(bucket), count] as const] : []))

/** How many durations were below each limit, given in microseconds that are bucket edges, ascending. */
export function below(histogram: Histogram, limits: readonly number[]): readonly number[] {
  let sum = 0
  let bucket = 0
  return limits.map(limit => {
    while (bucket < BUCKETS && edgeOf(bucket) < limit) sum += histogram[bucket++]!
    return sum
  })
}
