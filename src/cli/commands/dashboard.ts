// dashboard: the page on which rollouts are watched and driven; on this machine only unless asked otherwise.
import { UserError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { versionText } from '../version-text.ts'

export default defineCommand({
  summary: 'Serve the page that shows and drives rollouts',
  examples: ['dashboard', 'dashboard --port 8100 --proxy-admin http://127.0.0.1:9180'],
  options: command =>
    command
      .option('-p, --port <port>', 'port to serve on', '3100')
      .option('--address <host>', 'address to serve on', '127.0.0.1')
      .option('--root-path <path>', 'path below which the page lives', 'rollouts')
      .option('--proxy-admin <url>', 'admin address of a proxy, for requests and errors of each version')
      .option('--allow-host <name...>', 'further host names under which browsers may ask')
      .option('--read-only', 'look, do not touch'),

  async run(context) {
    const { flags, clock } = context
    const port = Number(flags['port'])
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new UserError('PIN1006', `invalid port "${String(flags['port'])}"`, 'Give a number from 0 to 65535.')
    }
    const stopped = context.stopped()
    const cluster = await context.kube()
    const { startDashboard } = await import('../../dashboard/server.ts')
    const dashboard = await startDashboard({
      transport: cluster.transport,
      namespace: cluster.namespace,
      clock,
      host: String(flags['address']),
      port,
      rootPath: String(flags['rootPath']),
      readOnly: flags['readOnly'] === true,
      version: await versionText(),
      allowHosts: (flags['allowHost'] as readonly string[] | undefined) ?? [],
      ...(typeof flags['proxyAdmin'] === 'string' ? { proxyAdmin: flags['proxyAdmin'] } : {}),
    })
    context.out(`dashboard on ${dashboard.url}/`)
    await new Promise<void>(resolve => {
      if (stopped.aborted) resolve()
      stopped.addEventListener('abort', () => resolve(), { once: true })
    })
    await dashboard.close()
    return 0
  },
})
