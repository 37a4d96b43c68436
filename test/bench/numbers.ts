// What a bench is told on its command line, where that is a few numbers in order.
import { parseArgs } from 'node:util'

/** One of them; `least` is the smallest that makes sense. */
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
  const wrong = (why: string): never => {
    process.stderr.write(`bench:${script}: ${why}\n\n${usage}`)
    process.exit(2)
  }
  const read = () => {
    try {
      return parseArgs({ allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } })
    } catch (error) {
      return wrong((error as Error).message)
    }
  }
  const { values, positionals } = read()
  if (values.help) {
    process.stdout.write(usage)
    process.exit(0)
  }
  if (positionals.length > asked.length) wrong(`takes ${asked.length} numbers at most`)
  return asked.map(({ what, otherwise, least }, i) => {
    const text = positionals[i]
    const number = text === undefined ? otherwise : Number(text)
    if (text?.trim() === '' || !Number.isInteger(number) || number < least)
      wrong(`${what} is a whole number from ${least} on, not "${text}"`)
    return number
  })
}
