// Route table from a JSON or YAML file, read again whenever it changes.

import { watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { parse } from 'yaml'
import { UserError } from '../errors.ts'
import type { Source } from './source.ts'
import { parseTable, type RouteTable } from './table.ts'

/** Editors write in several steps; this long after the last of them the file is read. */
const SETTLE_MS = 30
/** Mounted ConfigMaps change by a symbolic link that a watch may miss: look at least this often. */
const LOOK_MS = 2000

/** A watched file. The first reading must succeed (UserError PIN4001, PIN4004); later bad ones keep the last table. */
export function fileSource(path: string): Source {
  return {
    about: `file ${path}`,
    async start(sink) {
      let said = await signature(path)
      sink.table(await read(path))
      const again = async (): Promise<void> => {
        try {
          const now = await signature(path)
          if (now === said) return
          said = now
          sink.table(await read(path))
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
  let raw: unknown
  try {
    // JSON is YAML; the YAML parser names the line of a mistake.
    raw = parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new UserError(
      'PIN4001',
      `bad route table in ${path}: ${why}`,
      'Correct it; the last good table stays in force.',
    )
  }
  return parseTable(raw, path)
}

const unreadable = (path: string, error: unknown): UserError =>
  new UserError(
    'PIN4004',
    `cannot read the route table ${path}: ${error instanceof Error ? error.message : String(error)}`,
    'Check the path and that this user may read it.',
  )
