// Counts of what no version got: requests without a route, refused ones, and those that were one too many.

/** In this order they lie in memory that threads share. */
const NAMES = ['unrouted', 'refused', 'shed', 'turnedAway'] as const

/** `unrouted`: no route matched. `refused`: malformed, ambiguous or too long. `shed`: a quick 503, as too many were in
 * flight. `turnedAway`: connections closed at once, as there were too many. */
export type Strays = { [name in (typeof NAMES)[number]]: number }

/** Memory for one thread's counts. */
export const strayMemory = (): SharedArrayBuffer => new SharedArrayBuffer(8 * NAMES.length)

/** Counts in memory of one's own, or in some that is shared. */
export function countStrays(memory: ArrayBuffer | SharedArrayBuffer = new ArrayBuffer(8 * NAMES.length)): Strays {
  const counts = new Float64Array(memory)
  return withEach(
    at => counts[at] ?? 0,
    (at, n) => {
      counts[at] = n
    },
  )
}

/** The sums of several, read anew each time; they cannot be set. */
export const sumStrays = (all: readonly Strays[]): Readonly<Strays> =>
  withEach(
    at => all.reduce((sum, one) => sum + one[NAMES[at]!], 0),
    () => {},
  )

function withEach(get: (at: number) => number, set: (at: number, n: number) => void): Strays {
  const members = NAMES.map((name, at) => [
    name,
    { enumerable: true, get: () => get(at), set: (n: number) => set(at, n) },
  ])
  return Object.defineProperties({}, Object.fromEntries(members)) as Strays
}
