// proxy: the weighted reverse proxy; its table from flags, a file, or the cluster.

import type { Log } from '../../ports.ts'
import { type Context, defineCommand, type Io } from '../command.ts'
import { durationFlag } from '../duration-flag.ts'

/** One line an event on stderr; stdout stays free. */
const logTo = (io: Io): Log => {
  const line = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    io.complain(`${JSON.stringify({ time: new Date(io.clock.now()).toISOString(), level, msg: message, ...fields })}\n`)
  return { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') }
}

export default defineCommand({
  summary: 'Run the proxy: exact weights, previews, live changes',
  examples: [
    'proxy --stable http://127.0.0.1:9001 --canary http://127.0.0.1:9002 --weight 10',
    'proxy --active http://127.0.0.1:9001 --preview http://127.0.0.1:9002',
    'proxy --table routes.yaml',
    'proxy --kubernetes --namespace shop',
  ],
  options: command =>
    command
      .option('--listen <address>', 'where to serve; default :8080')
      .option('--admin <address>', 'where metrics and status are; default 127.0.0.1:9180')
      .option('--stable <url>', 'the stable version')
      .option('--canary <url>', 'the canary')
      .option('--weight <percent>', 'share of the canary, 0 to 100')
      .option('--active <url>', 'the active version')
      .option('--preview <url>', 'the preview version')
      .option('--preview-path <prefix>', 'path that leads to the preview; default /preview')
      .option('--preview-header <name>', 'header that leads to the preview; default X-Preview')
      .option('--preview-port <port>', 'port that leads to the preview')
      .option('--table <file>', 'a route table in JSON or YAML; followed as it changes')
      .option('--kubernetes', 'follow the route tables of the cluster')
      .option('--ingress-class <name>', 'also serve Ingresses of this class')
      .option('--annotation-prefix <prefix>', 'of the canary annotations on Ingresses')
      .option('--grace <duration>', 'go on serving, red on /readyz, after SIGTERM; default 0s')
      .option('--drain-limit <duration>', 'for requests in flight behind that; default 30s')
      .option('--workers <n>', 'threads that serve; default 1')
      .option('--reuse-port', 'listen beside a proxy that is about to leave: a restart without a gap')
      .option('--max-in-flight <n>', 'requests at once in a thread, then a quick 503; default no limit')
      .option('--max-connections <n>', 'connections of clients in a thread; default no limit')
      .option('--max-body <octets>', 'longest body of a request, then a 413; default no limit')
      .option('--access-log <file>', 'a line of JSON for each request; - is standard output')
      .option('--access-log-sample <share>', 'share of requests that get one; default 1')
      .option('--forwarded', 'also write Forwarded (RFC 7239) beside X-Forwarded headers')
      .option('--trace [share]', 'begin a trace where a request brings none; share that is sampled, default 0')
      .option('--version-header <name>', 'a header on answers that names the version')
      .option('--server-timing', 'Server-Timing on answers: the version, and its time')
      .option('--proxy-protocol <ranges>', 'peers that begin with a PROXY protocol header, such as a load balancer')
      .option('--tls-cert <file>', 'serve TLS (and HTTP/2) with this certificate; followed as it changes')
      .option('--tls-key <file>', 'the key of the certificate')
      .option('--dial-map <from=to>', 'dial addresses of one range in another')
      .option('--trust <ranges>', 'peers whose X-Forwarded headers are believed, comma separated'),

  async run(context) {
    const { proxyOptionsFromFlags, startProxy } = await import('../../proxy/start.ts')
    const grace = durationFlag(context.flags['grace'])
    const limit = durationFlag(context.flags['drainLimit'] ?? '30s')
    const stopped = context.stopped()
    const log = logTo(context)
    let cache: Awaited<ReturnType<typeof openCache>> | undefined
    const connect = async () => {
      cache = await openCache(context, log)
      return cache
    }
    const options = await proxyOptionsFromFlags(context.flags, connect)
    const proxy = await startProxy({ ...options, log })
    context.out(`proxy on ${proxy.url}, admin on ${proxy.adminUrl}`)
    await new Promise<void>(resolve => {
      if (stopped.aborted) resolve()
      stopped.addEventListener('abort', () => resolve(), { once: true })
    })
    await proxy.drain({ grace, limit })
    await cache?.stop()
    return 0
  },
})

async function openCache(context: Context, log: Log) {
  const { createCache } = await import('../../kube/cache.ts')
  const { transport } = await context.kube()
  return createCache({ transport, clock: context.clock, random: Math.random, log })
}
