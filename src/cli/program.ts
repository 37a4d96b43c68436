// Builds the command line out of commands: their words, options and help. Knows commander; nothing else here does.
import { Command as Commander } from 'commander'
import type { Command, Flags } from './command.ts'
import type { Loaded } from './load.ts'

/** A command that was recognised, with all its flags (global ones included) and its operands. */
export type Called = Readonly<{ command: Command; flags: Flags; args: readonly string[]; usage: string }>

/** Thrown by commander through `exitOverride`, with the command that it concerns. */
export class Misuse extends Error {
  /** commander's code without its prefix, such as `unknownOption`. */
  readonly code: string
  readonly usage: string
  constructor(code: string, message: string, usage: string) {
    super(message)
    this.code = code
    this.usage = usage
  }
}

const GROUPS: Readonly<Record<string, string>> = {
  get: 'Look:',
  list: 'Look:',
  status: 'Look:',
  promote: 'Act on a rollout:',
  abort: 'Act on a rollout:',
  retry: 'Act on a rollout:',
  undo: 'Act on a rollout:',
  pause: 'Act on a rollout:',
  restart: 'Act on a rollout:',
  set: 'Act on a rollout:',
  terminate: 'Act on a rollout:',
  create: 'Act on a rollout:',
  demo: 'Run:',
  controller: 'Run:',
  proxy: 'Run:',
  dashboard: 'Run:',
}
const PARENTS: Readonly<Record<string, string>> = {
  get: 'Show one rollout or experiment',
  list: 'List rollouts or experiments',
  retry: 'Start an aborted rollout or a finished experiment again',
  set: 'Change a rollout',
  terminate: 'End an analysis run or an experiment',
}

/** Makes the program of these commands; `call` gets the one that the words name. Output goes to `print`. */
export function buildProgram(
  name: string,
  commands: readonly Loaded[],
  call: (called: Called) => void,
  print: (text: string) => void,
): Commander {
  const program = new Commander(name)
  program
    .description('Progressive delivery for Kubernetes: canary and blue-green, with Argo Rollouts manifests')
    .option('-n, --namespace <name>', 'namespace to work in')
    .option('--context <name>', 'kubeconfig context to use')
    .option('--kubeconfig <path>', 'kubeconfig file to use')
    .option('-o, --output <format>', 'json, yaml or name instead of text')
    .option('--no-color', 'no colours; the same as NO_COLOR=1')
    .helpCommand(false)
    .helpOption('-h, --help', 'show help')
  strict(program, print)
  const parents = new Map<string, Commander>()
  const parentsFirst = commands.toSorted((a, b) => a.words.length - b.words.length)
  for (const { words, command } of parentsFirst) {
    const [first = '', second] = words
    if (second === undefined) {
      define(program, first, command, call, print)
      continue
    }
    const parent =
      parents.get(first) ?? program.commands.find(one => one.name() === first) ?? group(program, first, print)
    parents.set(first, parent)
    define(parent, second, command, call, print)
  }
  return program
}

function strict(command: Commander, print: (text: string) => void): void {
  command.configureOutput({ writeOut: print, writeErr: () => {}, outputError: () => {} })
  command.exitOverride(({ code, message }) => {
    throw new Misuse(code.replace('commander.', ''), message, command.helpInformation())
  })
}

function group(program: Commander, name: string, print: (text: string) => void): Commander {
  const command = program.command(name).description(PARENTS[name] ?? '')
  command.helpGroup(GROUPS[name] ?? 'Others:').helpCommand(false)
  strict(command, print)
  return command
}

function define(
  parent: Commander,
  name: string,
  command: Command,
  call: (called: Called) => void,
  print: (text: string) => void,
): void {
  const made = parent.command(name, { hidden: command.hidden === true }).description(command.summary)
  made.allowExcessArguments(command.raw === true).helpCommand(false)
  if (command.aliases) made.aliases([...command.aliases])
  if (command.raw) made.allowUnknownOption().helpOption(false)
  if (command.args) made.arguments(command.args)
  made.helpGroup(GROUPS[name] ?? 'Others:')
  command.options?.(made)
  const path = [...pathOf(parent), name].join(' ')
  const root = pathOf(parent)[0] ?? ''
  if (command.examples) {
    made.addHelpText('after', `\nExamples:\n${command.examples.map(text => `  ${root} ${text}\n`).join('')}`)
  }
  made.usage(`${command.args ?? ''} [flags]`.trim())
  strict(made, print)
  made.action((...given: unknown[]) => {
    const args = made.args.map(String)
    if (command.raw !== true && given.length < 2) throw new Misuse('missingArgument', path, made.helpInformation())
    call({ command, flags: made.optsWithGlobals() as Flags, args, usage: made.helpInformation() })
  })
}

const pathOf = (command: Commander | null): readonly string[] =>
  command === null ? [] : [...pathOf(command.parent), command.name()]
