// The command line: finds the command, runs it, and prints every error in one place.
import { plainArguments, verbOf } from './arguments.ts'
import { type Cluster, type Context, type Flags, type Io, UsageError } from './command.ts'
import { connect } from './connect.ts'
import { errorText } from './error-text.ts'
import { commandWords, loadCommands } from './load.ts'
import { buildProgram, type Called, Misuse } from './program.ts'

/** Runs the command that `argv` (without program names) asks for; answers the exit code, never rejects.
 * 0: done; 1: everything else. argo: a wrong call is 1 too */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const args = plainArguments(argv)
  let cluster: Promise<Cluster> | undefined
  let usage = ''
  try {
    const called = await parse(args, io)
    if (typeof called === 'number') return called
    usage = called.usage
    const target = targetOf(called.flags)
    const context: Context = {
      ...io,
      flags: called.flags,
      target,
      out: line => io.write(`${line}\n`),
      err: line => io.complain(`${line}\n`),
      kube: () => (cluster ??= connect(io, target)),
    }
    return await called.command.run(context, called.args)
  } catch (error) {
    const text = error instanceof UsageError ? usage : errorText(error, io.program)
    io.complain(text.endsWith('\n') ? text : `${text}\n`)
    return (error as { exitCode?: number }).exitCode ?? 1
  } finally {
    await cluster?.then(
      one => one.close(),
      () => {},
    )
  }
}

const targetOf = ({ kubeconfig, context, namespace }: Flags) => ({
  ...(typeof kubeconfig === 'string' ? { path: kubeconfig } : {}),
  ...(typeof context === 'string' ? { context } : {}),
  ...(typeof namespace === 'string' ? { namespace } : {}),
})

/** What was called, or the exit code when help was all that was wanted. */
async function parse(args: readonly string[], io: Io): Promise<Called | number> {
  const verb = verbOf(args)
  const words = await commandWords()
  // Only the commands of one verb are loaded; all of them for help and for suggestions.
  const commands = await loadCommands(verb !== undefined && words.has(verb) ? verb : undefined)
  let called: Called | undefined
  const program = buildProgram(io.program, commands, found => (called = found), io.write)
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    if (error.code === 'helpDisplayed') return 0
    throw error
  }
  return called ?? 0
}
