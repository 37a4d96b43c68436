// controller: reconciles rollouts until it is told to stop.
import { defineCommand } from '../command.ts'

export default defineCommand({
  summary: 'Run the controller against the cluster of the kubeconfig, or the one it runs in',
  examples: ['controller', 'controller --namespaced --namespace shop'],
  options: command =>
    command
      .option('--namespaced', 'one namespace only')
      .option('--instance-id <id>', 'only objects that carry this instance id')
      .option('--rollout-threads <number>', 'rollouts reconciled at once', '10')
      .option('--rollout-resync <seconds>', 'how often settled rollouts are looked at again', '900')
      .option('--metrics-port <port>', 'port of /metrics', '8090')
      .option('--healthz-port <port>', 'port of /healthz and /readyz', '8080')
      .option('--no-leader-elect', 'run without a lease; only one controller may run then')
      .option('--plugin <file...>', 'further adapters')
      .option('--dry-run', 'say what would be written, write nothing'),

  async run(context) {
    const { runController } = await import('../../controller/main.ts')
    return (await runController(context.flags)) ?? 0
  },
})
