// Every error as a user reads it: what is wrong, and where we know it, what to do. No stacks.
import { UserError } from '../errors.ts'
import { Misuse } from './program.ts'

const HINTS: Readonly<Record<number, string>> = {
  401: 'Log in again, or choose another context with --context.',
  403: 'Ask for the right in this namespace, or choose another with -n.',
}

const quoted = (message: string): string => /'([^']*)'/.exec(message)?.[1] ?? message

/** Wrong calls: the texts that kubectl plugins print. argo: unknown flags and verbs are named, the rest shows usage */
function misuseText({ code, message, usage }: Misuse, program: string): string {
  if (code === 'unknownOption') {
    const flag = quoted(message)
    return flag.startsWith('--') ? `Error: unknown flag: ${flag}` : `Error: unknown shorthand flag: ${flag}`
  }
  if (code === 'optionMissingArgument')
    return `Error: flag needs an argument: ${/--[a-z-]+/.exec(message)?.[0] ?? message}`
  if (code === 'invalidArgument') return `Error: ${message.replace(/^error: /, '')}`
  // Only the program itself has words that are no operands of anything.
  if (code === 'unknownCommand' && usage.startsWith(`Usage: ${program} [`)) {
    const close = /Did you mean (.*)\?/.exec(message)?.[1]
    const suggestion = close === undefined ? '' : `\nDid you mean "${close}"?`
    return `Error: unknown command "${quoted(message)}" for "${program}"${suggestion}\nRun '${program} --help' for usage.`
  }
  return usage
}

/** One text for any error. */
export function errorText(error: unknown, program: string): string {
  if (error instanceof Misuse) return misuseText(error, program)
  if (error instanceof UserError) {
    const code = error.code === '' ? '' : ` (${error.code})`
    return `Error: ${error.message}${code}${error.hint === '' ? '' : `\n${error.hint}`}`
  }
  if (!(error instanceof Error)) return `Error: ${String(error)}`
  const { code } = error as { code?: unknown }
  const hint = typeof code === 'number' ? HINTS[code] : undefined
  return `Error: ${error.message}${hint === undefined ? '' : `\n${hint}`}`
}
