// Route table from a JSON or YAML file, read again whenever it changes.

import { constants, type Stats, watch } from 'node:fs'
import { open, stat } from 'node:fs/promises'
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
    const found = await stat(path)
    refuseStrange(path, found)
    const { mtimeMs, size, ino } = found
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function read(path: string): Promise<RouteTable> {
  const text = await textOf(path)
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

async function textOf(path: string): Promise<string> {
  try {
    // Not waiting: it may have become a pipe that nobody writes to.
    await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    refuseStrange(path, await file.stat())
    return await file.readFile('utf8')
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** Pipes end only when their writer ends, and what came of them cannot be read again: a table is a regular file. */
function refuseStrange(path: string, found: Stats): void {
  if (found.isFile()) return
  const kind = found.isDirectory() ? 'a folder' : found.isFIFO() ? 'a pipe' : 'no regular file'
  const hint = found.isDirectory() ? 'Name the file in it.' : 'Write the table to a file, and name that.'
  throw new UserError('PIN4004', `cannot read the route table ${path}: it is ${kind}`, hint)
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

function unreadable(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error
  return new UserError(
    'PIN4004',
    `cannot read the route table ${path}: ${error instanceof Error ? error.message : String(error)}`,
    'Check the path and that this user may read it.',
  )
}
