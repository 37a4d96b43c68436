// controller: reconciles rollouts until it is told to stop.
import { UserError } from '../../errors.ts'
import { type Context, defineCommand } from '../command.ts'

function threads(flags: Context['flags'], flag: 'rolloutThreads' | 'analysisThreads'): number {
  const count = Number(flags[flag])
  if (Number.isInteger(count) && count > 0) return count
  throw new UserError('PIN1007', `invalid number of threads "${String(flags[flag])}"`, 'Give a whole number from 1.')
}

/** The namespace to keep to: the one given, or with --namespaced the kubeconfig's own. */
async function scopeOf({ flags, target, kube }: Context): Promise<{ namespace?: string }> {
  if (target.namespace !== undefined) return { namespace: target.namespace }
  return flags['namespaced'] === true ? { namespace: (await kube()).namespace } : {}
}

export default defineCommand({
  summary: 'Run the controller against the cluster of the kubeconfig, or the one it runs in',
  examples: ['controller', 'controller --namespace shop', 'controller --namespaced'],
  options: command =>
    command
      .option('--namespaced', 'keep to the namespace of the kubeconfig')
      .option('--rollout-threads <number>', 'rollouts worked on at once', '10')
      .option('--analysis-threads <number>', 'analysis runs worked on at once', '30')
      .option('--loglevel <level>', 'debug, info, warn or error', 'info')
      .addOption(
        command.createOption('--logformat <format>', 'text or json').choices(['text', 'json']).default('text'),
      ),

  async run(context) {
    const { flags, target } = context
    const options = {
      ...(await scopeOf(context)),
      ...(target.path === undefined ? {} : { kubeconfig: target.path }),
      ...(target.context === undefined ? {} : { context: target.context }),
      rolloutThreads: threads(flags, 'rolloutThreads'),
      analysisThreads: threads(flags, 'analysisThreads'),
      loglevel: String(flags['loglevel']),
      logformat: flags['logformat'] === 'json' ? ('json' as const) : ('text' as const),
    }
    const { runController } = await import('../../controller/main.ts')
    return runController(options)
  },
})
