// Reference results, table by table. VECTORS names a folder with further vectors of the same shape.
import { test } from 'tap'
import { judge, rowsOf, type Table } from './kit/vector-table.ts'
import { albTable } from './tables/alb.ts'
import { albVerify } from './tables/alb-verify.ts'
import { args } from './tables/args.ts'
import { assess } from './tables/assess.ts'
import { conditionsTable, durations as releaseDurations } from './tables/conditions.ts'
import { decisions } from './tables/decisions.ts'
import { durations } from './tables/durations.ts'
import { conditions, values, verdicts } from './tables/expr.ts'
import { podHash, stepsHash } from './tables/hashes.ts'
import { istioTable } from './tables/istio.ts'
import { nginxTable } from './tables/nginx.ts'
import { phases, stepTexts } from './tables/phase.ts'
import { basic, reached, routed, weights } from './tables/replicas.ts'
import { scaling } from './tables/scaling.ts'
import { services } from './tables/services.ts'
import { validation } from './tables/validation.ts'
import { references } from './tables/validation-refs.ts'

const TABLES: readonly Table[] = [
  podHash,
  stepsHash,
  basic,
  routed,
  weights,
  reached,
  scaling,
  stepTexts,
  phases,
  durations,
  conditionsTable,
  releaseDurations,
  decisions,
  nginxTable,
  albTable,
  albVerify,
  istioTable,
  conditions,
  values,
  verdicts,
  assess,
  args,
  services,
  validation,
  references,
]

for (const table of TABLES) {
  test(`${table.name}: every vector gives the reference's result`, async t => {
    const rows = rowsOf(table.name)
    if (!rows) {
      if (process.env['VECTORS']) t.pass('not judged', { skip: `no ${table.name}.json in the given folder` })
      else t.fail(`test/vectors/${table.name}.json is missing`)
      return
    }
    const { judged, wrong, excepted, elsewhere } = judge(table, rows)
    t.comment(`${judged} judged, ${excepted} of them exceptions; ${elsewhere} are judged elsewhere`)
    t.ok(judged > 0, 'there are vectors to judge')
    t.same(wrong.slice(0, 20), [], `${wrong.length} of ${judged} differ`)
  })
}
