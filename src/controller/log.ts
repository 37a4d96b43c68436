// Log lines: JSON by pino, or short text for people.
import { pino } from 'pino'
import type { Log } from '../ports.ts'

export type LogOptions = Readonly<{ level?: string; format?: 'json' | 'text' }>

/** A log on standard output. Levels: debug, info, warn, error. */
export function createLog({ level = 'info', format = 'json' }: LogOptions = {}): Log {
  if (format === 'json') return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
  const order = ['debug', 'info', 'warn', 'error']
  const from = Math.max(0, order.indexOf(level))
  const line = (name: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    if (order.indexOf(name) < from) return
    const details = Object.entries(fields).map(
      ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    process.stdout.write(
      `${new Date().toISOString()} ${name.toUpperCase().padEnd(5)} ${message} ${details.join(' ')}\n`,
    )
  }
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}
