// Which requests are copied to the canary: compiled rules, and an exact sequence for the percentage.
import type { Asked } from './asked.ts'
import { type Lags, pick, type Side } from './pick.ts'
import { anyRequest } from './request-match.ts'
import type { MirrorSpec } from './table.ts'

export type Mirror = Readonly<{ name: string; takes(asked: Asked): boolean }>

const STEPS = 10_000

/** Compiles mirror routes: inside an entry all must hold, one entry is enough, no entry means every request. */
export function compileMirrors(specs: readonly MirrorSpec[], lagsAt: (name: string) => Lags): readonly Mirror[] {
  return specs.map(spec => {
    const lags = lagsAt(spec.name)
    const share = Math.round(spec.percent * (STEPS / 100))
    const sides: Side[] = [
      { key: 'no', weight: STEPS - share },
      { key: 'yes', weight: share },
    ]
    const hits = anyRequest(spec.anyOf)
    return {
      name: spec.name,
      takes: asked => (spec.anyOf.length === 0 || hits(asked)) && pick(lags, sides, STEPS) === 1,
    }
  })
}
