// How one sequence fits another: the best common subsequence, where some elements matter more than others.

/** What of the recorded sequence is missing in the played one, and what the played one has besides; as indexes. */
export type Fit = Readonly<{ missing: readonly number[]; extra: readonly number[] }>

/** Aligns two sequences by their keys so that as much as possible of `recorded`, by weight, is matched in order. */
export function fit(recorded: readonly string[], played: readonly string[], weight: (index: number) => number): Fit {
  const [n, m] = [recorded.length, played.length]
  const best = Array.from({ length: n + 1 }, () => new Float64Array(m + 1))
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      const skip = Math.max(best[i + 1]![j]!, best[i]![j + 1]!)
      const match = recorded[i] === played[j] ? weight(i) + best[i + 1]![j + 1]! : Number.NEGATIVE_INFINITY
      best[i]![j] = Math.max(skip, match)
    }
  }
  const missing: number[] = []
  const extra: number[] = []
  let i = 0
  let j = 0
  while (i < n && j < m) {
    const here = best[i]![j]!
    if (recorded[i] === played[j] && here === weight(i) + best[i + 1]![j + 1]!) {
      i++
      j++
    } else if (here === best[i + 1]![j]!) missing.push(i++)
    else extra.push(j++)
  }
  while (i < n) missing.push(i++)
  while (j < m) extra.push(j++)
  return { missing, extra }
}
