// __complete: what may follow the words typed so far, one a line with its meaning; then `:4`, which tells kubectl to
// offer no files. The last word is the one being typed.
import { type Context, defineCommand, type KindName } from '../command.ts'
import { loadCommands } from '../load.ts'

const KIND_OF: Readonly<Record<string, KindName>> = {
  '<rollout>': 'Rollout',
  '<rollout...>': 'Rollout',
  '<experiment>': 'Experiment',
  '<experiment...>': 'Experiment',
  '<analysisrun...>': 'AnalysisRun',
}

type Candidate = readonly [word: string, meaning: string]

async function candidates(context: Context, typed: readonly string[]): Promise<readonly Candidate[]> {
  const commands = (await loadCommands()).filter(({ command }) => command.hidden !== true)
  const begun = commands.filter(
    ({ words }) => typed.length < words.length && typed.every((word, i) => words[i] === word),
  )
  if (begun.length > 0) {
    const next = begun.map(
      ({ words, command }) =>
        [words[typed.length] ?? '', words.length === typed.length + 1 ? command.summary : ''] as const,
    )
    return [...new Map(next).entries()]
  }
  const called = commands.find(({ words }) => words.every((word, i) => typed[i] === word))
  const operands = called?.command.args?.split(' ') ?? []
  const at = Math.min(typed.length - (called?.words.length ?? 0), operands.length - 1)
  const kind = KIND_OF[operands[at] ?? '']
  if (kind === undefined) return operands[at] === '<shell>' ? ['bash', 'zsh', 'fish'].map(name => [name, '']) : []
  return (await (await context.kube()).list(kind)).map(({ metadata }) => [metadata.name, ''])
}

export default defineCommand({
  summary: 'Answer a shell’s question for completions',
  args: '[words...]',
  hidden: true,
  raw: true,

  async run(context, words) {
    const typed = words.slice(0, -1).filter(word => !word.startsWith('-'))
    const current = words.at(-1) ?? ''
    for (const [word, meaning] of await candidates(context, typed)) {
      if (word.startsWith(current)) context.out(meaning === '' ? word : `${word}\t${meaning}`)
    }
    context.out(':4')
    return 0
  },
})
