// Which requests are copied to the canary: compiled rules, and an exact sequence for the percentage.
import type { Asked } from './asked.ts'
import { pathOf, stringTest, type Test } from './match.ts'
import { type Lags, pick, type Side } from './pick.ts'
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
    const rules = spec.anyOf.map(({ method, path, headers }) => ({
      method: method && stringTest(method),
      path: path && stringTest(path),
      headers: Object.entries(headers ?? {}).map(([name, m]): [string, Test] => [name.toLowerCase(), stringTest(m)]),
    }))
    return {
      name: spec.name,
      takes(asked) {
        const hit = rules.some(
          ({ method, path, headers }) =>
            (!method || method(asked.method())) &&
            (!path || path(pathOf(asked.target()))) &&
            headers.every(([name, test]) => {
              const value = asked.header(name)
              return value !== undefined && test(value)
            }),
        )
        return (rules.length === 0 || hit) && pick(lags, sides, STEPS) === 1
      },
    }
  })
}
