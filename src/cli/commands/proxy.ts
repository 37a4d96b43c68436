// proxy: the weighted reverse proxy; its table from flags, a file, or the cluster.

import { UserError } from '../../errors.ts'
import type { Log } from '../../ports.ts'
import type { RunningProxy, Successor } from '../../proxy/start.ts'
import { type Context, defineCommand, type Io } from '../command.ts'
import { durationFlag } from '../duration-flag.ts'
import { formatOf } from '../output.ts'

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
      .option('--tcp', 'pass whole connections, whatever they speak')
      .option('--pipelining', 'requests without a body share connections to pods, in batches (HTTP/1.1 pipelining)')
      .option('--table <file>', 'a route table in JSON or YAML; followed as it changes')
      .option('--kubernetes', 'follow the route tables of the cluster')
      .option('--ingress-class <name>', 'also serve Ingresses of this class')
      .option('--annotation-prefix <prefix>', 'of the canary annotations on Ingresses')
      .option('--grace <duration>', 'go on serving, red on /readyz, after SIGTERM; default 0s')
      .option('--drain-limit <duration>', 'for requests in flight behind that; default 30s')
      .option('--workers <n>', 'threads that serve; default 1')
      .option('--pid-file <file>', 'where the pid of the proxy that serves is written')
      .option('--reuse-port', 'listen beside other proxies on one port')
      .option('--max-in-flight <n>', 'requests at once in a thread, then a quick 503; default no limit')
      .option(
        '--max-connections <n>',
        'connections of clients in a thread; default no limit, or half of `ulimit -n` below 8192',
      )
      .option('--max-body <octets>', 'longest body of a request, then a 413; default no limit')
      .option('--gather-body <octets>', 'a body up to this is whole before a pod is asked; default 65536, 0 for none')
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
    const isJson = wantsJson(context)
    try {
      return await serve(context, isJson)
    } catch (error) {
      if (!isJson || !(error instanceof UserError)) throw error
      const { code, message, hint, exitCode } = error
      logTo(context).error({ code, hint }, message)
      return exitCode
    }
  },
})

/** -o json: a line of JSON on stdout once it serves, and errors as the log has them. Raises UserError PIN1002 on others. */
function wantsJson(context: Context): boolean {
  const format = formatOf(context)
  if (format === undefined || format === 'json') return format === 'json'
  throw new UserError('PIN1002', `the proxy has no output format "${format}"`, 'Use json, or leave -o away for text.')
}

/** Serves until it is told to leave; the exit code. */
async function serve(context: Context, isJson: boolean): Promise<number> {
  const { hearPredecessor, inheritedFrom, proxyOptionsFromFlags, startProxy } = await import('../../proxy/start.ts')
  const grace = durationFlag(context.flags['grace'], '--grace')
  const limit = durationFlag(context.flags['drainLimit'] ?? '30s', '--drain-limit')
  const stopped = context.stopped()
  const log = logTo(context)
  let cache: Awaited<ReturnType<typeof openCache>> | undefined
  const connect = async () => {
    cache = await openCache(context, log)
    return cache
  }
  const options = await proxyOptionsFromFlags(context.flags, connect)
  const inherited = inheritedFrom(context.env, process.pid)
  const predecessor = inherited?.ready === undefined ? undefined : await hearPredecessor(inherited.ready)
  const proxy = await startProxy({
    ...options,
    log,
    stopped,
    ...(inherited ? { inherited } : {}),
    ...(predecessor ? { predecessor } : {}),
  })
  const at = { url: proxy.url, admin: proxy.adminUrl, pid: process.pid }
  context.out(isJson ? JSON.stringify(at) : `proxy on ${at.url}, admin on ${at.admin}`)
  const pidFile = await writePid(context.flags['pidFile']).catch(async (error: UserError) => {
    // Nobody would know that it serves.
    await proxy.close()
    await cache?.stop()
    throw error
  })
  if (!stopped.aborted) predecessor?.ready()
  const successor = await untilOver(context, proxy, log)
  // Connections that are kept open get an answer that asks them to leave before they are closed.
  await proxy.drain(successor ? { isHandedOver: true, grace: Math.max(grace, LEAVE_MS), limit } : { grace, limit })
  // What the one before this one still has is told by this one.
  if (successor) await predecessor?.gone()
  successor?.leave()
  await cache?.stop()
  await removePid(pidFile)
  return 0
}

/** Milliseconds that idle connections stay after a successor has taken over. */
const LEAVE_MS = 5000

/** Waits for Ctrl-C, SIGTERM or a successor; the successor, if there is one. */
function untilOver(context: Context, proxy: RunningProxy, log: Log): Promise<Successor | undefined> {
  const stopped = context.stopped()
  return new Promise(done => {
    if (stopped.aborted) done(undefined)
    stopped.addEventListener('abort', () => done(undefined), { once: true })
    let isStarting = false
    context.whenReplaced?.(() => {
      if (isStarting) return
      isStarting = true
      replace(proxy, log)
        .then(done)
        .finally(() => {
          isStarting = false
        })
        .catch(() => {})
    })
  })
}

/** Starts a successor; stays pending when there is none, so that this proxy goes on. */
async function replace(proxy: RunningProxy, log: Log): Promise<Successor> {
  const { startSuccessor } = await import('../../proxy/start.ts')
  try {
    // The first process of a container is the container: it may not leave.
    if (process.pid === 1) throw new Error('the first process of a container cannot be replaced: roll the Deployment')
    const successor = await startSuccessor(await proxy.sockets(), proxy.teller())
    log.info({ pid: successor.pid }, 'a successor serves; this proxy leaves')
    return successor
  } catch (error) {
    log.error({ why: (error as Error).message }, 'there is no successor; this proxy goes on')
    throw error
  }
}

/** Writes the pid for those who supervise; the file. Raises UserError PIN4010. */
async function writePid(file: unknown): Promise<string | undefined> {
  if (typeof file !== 'string') return undefined
  const { writeFile } = await import('node:fs/promises')
  await writeFile(file, `${process.pid}\n`).catch((error: Error) => {
    throw new UserError('PIN4010', `cannot write ${file}: ${error.message}`, 'Name a file that this user may write.')
  })
  return file
}

/** Takes the file away unless a successor has written its own pid. */
async function removePid(file: string | undefined): Promise<void> {
  if (file === undefined) return
  const { readFile, rm } = await import('node:fs/promises')
  const text = await readFile(file, 'utf8').catch(() => '')
  if (text.trim() === `${process.pid}`) await rm(file, { force: true })
}

async function openCache(context: Context, log: Log) {
  const { createCache } = await import('../../kube/cache.ts')
  const { transport } = await context.kube()
  return createCache({ transport, clock: context.clock, random: Math.random, log })
}
