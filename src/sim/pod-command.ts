// How long a simulated container works and how it ends, read from its command.
import type { Millis } from '../contract.ts'

/** `runs` false: the command cannot start. `ends` false: it never finishes; else it ends with `code` after `duration`. */
export type Work = Readonly<{ duration: Millis; code: number; runs: boolean; ends: boolean }>

type Commanded = Readonly<{ command?: readonly string[]; args?: readonly string[] }>

const SIMPLE = ['sleep', 'echo', 'true', 'false']
const SHELLS = ['sh', '/bin/sh', 'bash', '/bin/bash']

/** Reads sleep, echo, exit and true/false, alone or in a shell joined by `&&` and `;`. A container without a command
 * runs its image's, which never ends; an unknown command cannot start. */
export function workOf({ command = [], args = [] }: Commanded): Work {
  if (command.length === 0) return { duration: 0, code: 0, runs: true, ends: false }
  const [first = '', ...rest] = [...command, ...args]
  if (SIMPLE.includes(first)) return scriptWork([first, ...rest].join(' '))
  if (!SHELLS.includes(first)) return { duration: 0, code: 0, runs: false, ends: true }
  const from = rest.findIndex(word => !word.startsWith('-'))
  return scriptWork(from < 0 ? '' : rest.slice(from).join(' '))
}

function scriptWork(source: string): Work {
  let duration = 0
  let code = 0
  for (const part of source.replaceAll('&&', ';').split(/[;\n]/)) {
    const [word, operand] = part.trim().split(/\s+/)
    if (word === 'sleep' && operand !== undefined) {
      const length = sleepLength(operand)
      if (length === Number.POSITIVE_INFINITY) return { duration: 0, code: 0, runs: true, ends: false }
      duration += length
    }
    if (word === 'false') code = 1
    if (word === 'exit')
      return { duration, code: Number.parseInt(operand ?? `${code}`, 10) || 0, runs: true, ends: true }
  }
  return { duration, code, runs: true, ends: true }
}

const units: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, ms: 1 }

function sleepLength(text: string): Millis {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  const [, number = '0', unit = ''] = /^([\d.]+)(ms|[smhd]?)$/.exec(text) ?? []
  return Number(number) * (units[unit] ?? 0)
}

type Hook = Readonly<{
  sleep?: Readonly<{ seconds?: number }>
  exec?: Readonly<{ command?: readonly string[] }>
}>

/** How long a postStart or preStop hook takes. */
export function hookTime(hook: Hook | undefined): Millis {
  if (hook?.sleep) return (hook.sleep.seconds ?? 0) * 1000
  return hook?.exec ? workOf({ command: hook.exec.command ?? [] }).duration : 0
}

/** Can the image not be pulled? */
export const isMissing = (image: string): boolean =>
  image.includes('does-not-exist') || image.includes('nonexistent') || image.endsWith('error')
