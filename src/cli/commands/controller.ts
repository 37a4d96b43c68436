// controller: reconciles rollouts until it is told to stop.
import { UserError } from '../../errors.ts'
import { defineCommand } from '../command.ts'

/** A whole number from 1 on, or the error that names the flag. */
function countOf(flag: string, value: unknown): number {
  const count = Number(value)
  if (Number.isInteger(count) && count > 0) return count
  throw new UserError('PIN1007', `invalid --${flag} "${String(value)}"`, 'Give a whole number from 1 on.')
}

export default defineCommand({
  summary: 'Run the controller against the cluster of the kubeconfig, or the one it runs in',
  examples: ['controller', 'controller --namespace shop', 'controller --logformat json'],
  options: command =>
    command
      .option('--rollout-threads <number>', 'rollouts reconciled at once', '10')
      .option('--analysis-threads <number>', 'analysis runs reconciled at once', '30')
      .option('--loglevel <level>', 'debug, info, warn or error', 'info')
      .option('--logformat <format>', 'text or json', 'text'),

  async run({ flags }) {
    const { runController } = await import('../../controller/main.ts')
    const text = (name: string) => (typeof flags[name] === 'string' ? { [name]: flags[name] } : {})
    return runController({
      ...text('namespace'),
      ...text('kubeconfig'),
      ...text('context'),
      ...text('loglevel'),
      logformat: flags['logformat'] === 'json' ? 'json' : 'text',
      rolloutThreads: countOf('rollout-threads', flags['rolloutThreads']),
      analysisThreads: countOf('analysis-threads', flags['analysisThreads']),
    })
  },
})
