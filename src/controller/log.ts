// Log lines: JSON, or logfmt, both with the names that the incumbent's lines have, so that pipelines which pick `level` and
// `msg` go on. On a terminal short text for people.
import { pino } from 'pino'
import { UserError } from '../errors.ts'
import type { Log } from '../ports.ts'

export type LogOptions = Readonly<{ level?: string; format?: string; isTty?: boolean; write?: (line: string) => void }>

type Level = 'debug' | 'info' | 'warn' | 'error'
type Fields = Readonly<Record<string, unknown>>

const ORDER: readonly Level[] = ['debug', 'info', 'warn', 'error']

/** argo: logrus' names of levels; ours end at debug and error. */
const LEVELS: Readonly<Record<string, Level>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  fatal: 'error',
  panic: 'error',
}

/** argo: what its lines call the levels. */
const SHOWN: Readonly<Record<Level, string>> = { debug: 'debug', info: 'info', warn: 'warning', error: 'error' }

/** A log on standard output. Raises UserError PIN1010 for a level that there is not. */
export function createLog({
  level = 'info',
  format = 'json',
  isTty = process.stdout.isTTY === true,
  write = line => void process.stdout.write(line),
}: LogOptions = {}): Log {
  const from = LEVELS[level.toLowerCase()]
  if (!from) throw new UserError('PIN1010', `invalid --loglevel "${level}"`, 'Give debug, info, warn or error.')
  if (format.toLowerCase() === 'json') return jsonLog(from, write)
  const line = isTty ? forPeople : logfmt
  const at =
    (name: Level) =>
    (fields: Fields, message: string): void => {
      if (ORDER.indexOf(name) >= ORDER.indexOf(from)) write(line(name, fields, message))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** An Error has no fields of its own. */
const plain = (value: unknown): unknown => (value instanceof Error ? (value.stack ?? value.message) : value)

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

const jsonLog = (level: Level, write: (line: string) => void): Log =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: plain },
      formatters: { level: label => ({ level: SHOWN[label as Level] ?? label }) },
    },
    { write },
  )

const texts = (fields: Fields): readonly (readonly [string, string])[] =>
  Object.entries(fields).map(([key, value]) => [key, textOf(plain(value))])

const forPeople = (level: Level, fields: Fields, message: string): string =>
  `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${message} ${texts(fields)
    .map(pair => pair.join('='))
    .join(' ')}\n`

const quoted = (text: string): string => (/^[A-Za-z0-9\-._/@^+]+$/.test(text) ? text : JSON.stringify(text))

function logfmt(level: Level, fields: Fields, message: string): string {
  const details = texts(fields).map(([key, value]) => ` ${key}=${value === '' ? '' : quoted(value)}`)
  return `time="${new Date().toISOString()}" level=${SHOWN[level]} msg=${JSON.stringify(message)}${details.join('')}\n`
}
