// The reference tables: from the folder that VECTORS names, else from the repository.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const HOME = join(import.meta.dirname, '..', 'vectors')

/** A table as JSON; undefined when the folder that VECTORS names has none of this name. */
export function table<T>(name: string): T | undefined {
  const path = join(process.env['VECTORS'] ?? HOME, `${name}.json`)
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as T
  if (process.env['VECTORS'] === undefined) throw new Error(`test/vectors/${name}.json is missing`)
  return undefined
}
