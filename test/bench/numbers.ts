// Numbers on the command line of what measures: by flags, or a few in order.
import { parseArgs } from 'node:util'

/** The number that a text spells. Raises an Error that names `what` it is for when it is not whole or below `least`. */
export function whole(what: string, text: string, least: number): number {
  const number = Number(text)
  if (text.trim() === '' || !Number.isInteger(number) || number < least)
    throw new Error(`${what} takes a whole number from ${least} on`)
  return number
}

/** One of several; `least` is the smallest that makes sense. */
export type Asked = Readonly<{ what: string; otherwise: number; least: number }>

/** The numbers given, or the usual ones. `--help` prints what the bench does and ends with 0; anything else that is no
 * whole number, or too small, is told and ends with 2. */
export function numbersOf(script: string, what: string, asked: readonly Asked[]): readonly number[] {
  const usage = `${what}

Usage: npm run bench:${script} -- ${asked.map(a => `[${a.what}]`).join(' ')}

${asked.map(a => `  ${a.what.padEnd(24)} from ${a.least} on (default ${a.otherwise})`).join('\n')}

Example: npm run bench:${script} -- ${asked.map(a => Math.max(a.least, Math.ceil(a.otherwise / 10))).join(' ')}

Exit code: 0 nothing was lost, 1 something was, 2 wrong usage.
`
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' } },
    })
    if (values.help) {
      process.stdout.write(usage)
      process.exit(0)
    }
    if (positionals.length > asked.length) throw new Error(`takes ${asked.length} numbers at most`)
    return asked.map(({ what, otherwise, least }, i) => whole(what, positionals[i] ?? `${otherwise}`, least))
  } catch (error) {
    process.stderr.write(`bench:${script}: ${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}
