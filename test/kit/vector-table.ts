// Tables of reference results: one vector a line, its inputs and the result under `want`.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sameJson } from '../../src/contract.ts'
import { parseLossless } from '../../src/rollout/lossless-json.ts'

export type Row = Readonly<{ name: string; want: unknown; [field: string]: unknown }>

/** One table and how it is judged. */
export type Table = Readonly<{
  /** The file name without .json. */
  name: string
  /** What we give for a row, in the form of `want`. */
  answer(row: Row): unknown
  /** What is compared, where that is not the whole `want`. */
  want?(row: Row): unknown
  /** Rows that another test judges: why. */
  elsewhere?(row: Row): string | undefined
  /** Rows where we do better than the reference: why, and what we give instead (undefined: anything but an exception). */
  exceptions?(row: Row): Readonly<{ reason: string; want?: unknown }> | undefined
}>

const HOME = new URL('../vectors', import.meta.url).pathname

/** The rows of a table, from the folder that VECTORS names or from the repository; undefined when it is not there. */
export function rowsOf(name: string, folder = process.env['VECTORS'] ?? HOME): readonly Row[] | undefined {
  const path = join(folder, `${name}.json`)
  return existsSync(path) ? (parseLossless(readFileSync(path, 'utf8')) as readonly Row[]) : undefined
}

export type Outcome = Readonly<{ judged: number; wrong: readonly string[]; excepted: number; elsewhere: number }>

/** Judges all rows of a table. */
export function judge(table: Table, rows: readonly Row[]): Outcome {
  const wrong: string[] = []
  let [judged, excepted, elsewhere] = [0, 0, 0]
  for (const row of rows) {
    if (table.elsewhere?.(row) !== undefined) {
      elsewhere++
      continue
    }
    judged++
    const exception = table.exceptions?.(row)
    if (exception) excepted++
    let got: unknown
    try {
      got = table.answer(row)
    } catch (error) {
      wrong.push(`${row.name}: ${error instanceof Error ? error.stack : error}`)
      continue
    }
    if (exception && exception.want === undefined) continue
    const want = exception ? exception.want : (table.want?.(row) ?? row.want)
    if (!sameJson(got, want)) wrong.push(`${row.name}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
  }
  return { judged, wrong, excepted, elsewhere }
}
