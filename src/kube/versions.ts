// Order of resourceVersions, for "not older than" only; otherwise they are opaque and compared by equality.

const trimmed = (version: string): string => version.replace(/^0+(?=.)/, '')

/** Negative when `a` is older than `b`, 0 when they are equal, positive when it is newer. Versions are decimal
 * strings of any length (longer is newer, then digit by digit); an absent version is the oldest. */
export function compareVersions(a: string | undefined, b: string | undefined): number {
  const x = trimmed(a ?? '')
  const y = trimmed(b ?? '')
  if (x.length !== y.length) return x.length - y.length
  return x < y ? -1 : x > y ? 1 : 0
}
