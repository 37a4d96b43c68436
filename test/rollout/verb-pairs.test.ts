// The algebra of the verbs: every ordered pair at every moment has a result, and docs/reference/verbs.md says which.
// UPDATE=1 writes the page anew; read the difference before you commit it.
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'tap'
import { MOMENTS, type Moment, playPair, VERBS } from '../kit/verb-pairs.ts'

const PAGE = new URL('../../docs/reference/verbs.md', import.meta.url)

const HEAD = `# What two verbs at once come to

Two people, or a person and a pipeline, give a verb each before the controller has heard of either. Rows are the first
verb, columns the second; \`edit\` ships v3. The canary is \`setWeight: 50\`, \`pause: {}\`, \`setWeight: 75\`,
\`pause: {duration: 2s}\` behind nginx; the blue-green release waits for a person. The state is the one a minute later.

Two rules explain most of it:

- **Abort wins.** An abort that no pass has seen yet wins over a promotion, a full promotion and a change of the template
  that came beside it, in either order. Only \`retry\` takes it back, and \`undo\` to the stable version leaves nothing to
  abort. An abort that *has* been carried out is ended by \`retry\`, by \`promote --full\` or by a new template.
- **The template says where to.** \`undo\` and \`edit\` change the template, and the newest template is the target.

This page is written by \`UPDATE=1 npx tap test/rollout/verb-pairs.test.ts\`, from releases that are really played.
`

type Row = readonly [string, ...string[]]

async function rowsOf(moment: Moment): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const first of VERBS) {
    const cells: string[] = []
    for (const second of VERBS) cells.push(await playPair(moment, [first, second]))
    rows.push([`**${first}**`, ...cells])
  }
  return rows
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const tableOf = (rows: readonly Row[]): string =>
  [line(['first, then', ...VERBS]), line(['---', ...VERBS.map(() => '---')]), ...rows.map(line)].join('\n')

test('every pair of verbs does what the page says, and an abort wins', async t => {
  const sections: string[] = []
  for (const moment of MOMENTS) {
    const rows = await rowsOf(moment)
    sections.push(`## ${moment.name}\n\n${tableOf(rows)}\n`)
    if (moment.name.includes('at rest') || moment.name.includes('aborted')) continue
    const at = (first: string, second: string) =>
      rows[VERBS.indexOf(first as never)]![1 + VERBS.indexOf(second as never)] ?? ''
    for (const verb of VERBS) {
      if (verb === 'undo') continue
      t.match(at(verb, 'abort'), /^aborted/, `${moment.name}: ${verb}, then abort`)
      if (verb !== 'retry') t.match(at('abort', verb), /^aborted/, `${moment.name}: abort, then ${verb}`)
    }
  }
  const page = `${HEAD}\n${sections.join('\n')}`
  if (process.env['UPDATE']) writeFileSync(PAGE, page)
  t.equal(page, readFileSync(PAGE, 'utf8'), 'the page is up to date')
})
