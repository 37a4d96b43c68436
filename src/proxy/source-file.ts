// Route table from a JSON or YAML file, read again whenever it changes.

import { watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { parseDocument } from 'yaml'
import { UserError } from '../errors.ts'
import type { Source } from './source.ts'
import { badTable, parseTable, type RouteTable } from './table.ts'
import { overlaps } from './table-overlap.ts'
import { strangeKeys } from './table-spelling.ts'

/** Editors write in several steps; this long after the last of them the file is read. */
const SETTLE_MS = 30
/** Mounted ConfigMaps change by a symbolic link that a watch may miss: look at least this often. */
const LOOK_MS = 2000

/** A watched file. The first reading must succeed (UserError PIN4001, PIN4004); later bad ones keep the last table.
 * A file that gives no generation has its readings counted, from 1. */
export function fileSource(path: string): Source {
  return {
    about: `file ${path}`,
    async start(sink) {
      let said = await signature(path)
      let readings = 0
      const take = async (): Promise<void> => {
        const table = await read(path)
        readings++
        sink.table(table.generation === 0 ? { ...table, generation: readings } : table)
      }
      await take()
      const again = async (): Promise<void> => {
        try {
          const now = await signature(path)
          if (now === said) return
          said = now
          await take()
          sink.problems([])
        } catch (error) {
          sink.problems([error instanceof Error ? error.message : String(error)])
        }
      }
      let timer: NodeJS.Timeout | undefined
      // The folder, not the file: a rename over the file would end a watch on it.
      const watcher = watch(dirname(path), (_event, name) => {
        if (name !== null && name !== basename(path) && !name.startsWith('..')) return
        clearTimeout(timer)
        timer = setTimeout(again, SETTLE_MS)
      })
      watcher.on('error', () => watcher.close())
      const looks = setInterval(again, LOOK_MS).unref()
      return () => {
        clearTimeout(timer)
        clearInterval(looks)
        watcher.close()
      }
    },
  }
}

async function signature(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function read(path: string): Promise<RouteTable> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw unreadable(path, error)
  }
  const raw = yamlOf(text, path)
  const table = parseTable(raw, path)
  const faults = [
    ...strangeKeys(raw),
    ...overlaps(table.routes).map(({ message }) => message),
    ...table.routes.flatMap(({ name, dests }) =>
      dests.flatMap(({ upstream }) =>
        typeof upstream === 'string'
          ? []
          : `route ${name}: Service ${upstream.service} can only be found with --kubernetes; write an address`,
      ),
    ),
  ]
  if (faults.length > 0) throw badTable(path, faults.join('; '))
  return table
}

/** JSON is YAML; its parser names the line of a mistake. */
function yamlOf(text: string, path: string): unknown {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error?.code === 'MULTIPLE_DOCS') throw badTable(path, 'it holds several documents; a table is one')
  if (error) throw badTable(path, error.message.split('\n')[0]?.replace(/:$/, '') ?? '')
  let raw: unknown
  try {
    raw = document.toJS()
  } catch (error) {
    // Aliases that would grow without bound.
    throw badTable(path, error instanceof Error ? error.message : String(error))
  }
  if (raw === null || raw === undefined) throw badTable(path, 'it is empty; write routes: [] for none')
  return raw
}

const unreadable = (path: string, error: unknown): UserError =>
  new UserError(
    'PIN4004',
    `cannot read the route table ${path}: ${error instanceof Error ? error.message : String(error)}`,
    'Check the path and that this user may read it.',
  )
