// `pintle controller`: the controller as a process, in a cluster or beside one.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { withLoadBalancers } from '../aws/load-balancers.ts'
import { UserError } from '../errors.ts'
import type { Access } from '../kube/access.ts'
import { isNotFound } from '../kube/errors.ts'
import { createKube } from '../kube/kube.ts'
import { limited } from '../kube/limit.ts'
import { type Overrides, overridden } from '../kube/overrides.ts'
import { undiciTransport } from '../kube/undici.ts'
import type { Clock, Fetch, Kube, Log, Transport } from '../ports.ts'
import { fenced } from './fence.ts'
import { createFetch } from './fetch.ts'
import { serveHealth, serveMetrics } from './health.ts'
import { LEASE_NAME, type Leader, startLeader, type Timings } from './leader.ts'
import { createLog } from './log.ts'
import { type Controller, startController } from './manager.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { loadKnown, loadProviders } from './registry.ts'

export type ControllerFlags = Readonly<{
  /** Ours, as `v1.2.3`. */
  version: string
  /** Watch only this namespace. */
  namespace?: string
  kubeconfig?: string
  context?: string
  /** See startController. */
  instanceId?: string
  /** Rollouts, AnalysisRuns, Experiments and Services worked on at once. */
  rolloutThreads: number
  analysisThreads: number
  experimentThreads: number
  serviceThreads: number
  /** Milliseconds; 0: never. */
  resync: number
  /** Ports of /metrics and of /healthz and /readyz; 0: not served. */
  metricsPort: number
  healthzPort: number
  /** Work only as the leader; undefined: without a lease. */
  election?: Timings
  leaseNamespace?: string
  /** A client-side limit; undefined: the server's own fairness is the limit. */
  qps?: number
  burst?: number
  /** Ask AWS for the weights of target groups, found by this tag; undefined: not asked. */
  albTag?: string
  /** apiVersion of TargetGroupBindings. */
  bindingVersion?: string
  loglevel?: string
  logformat?: string
  /** What of the kubeconfig is overruled. */
  connection?: Overrides
  /** Work on AnalysisRuns alone. */
  analysisOnly?: boolean
  /** Flags that were given and change nothing, each with the reason. */
  idle: readonly Readonly<{ flag: string; why: string }>[]
}>

export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, run) {
    const timer = setTimeout(run, Math.min(2 ** 31 - 1, Math.max(0, time - Date.now())))
    return () => clearTimeout(timer)
  },
}

/** Runs until a signal comes or the lease is lost; resolves with the exit code. */
export async function runController(flags: ControllerFlags): Promise<number> {
  const log = createLog({ ...(flags.loglevel ? { level: flags.loglevel } : {}), format: flags.logformat ?? 'text' })
  if (flags.logformat && !/^(text|json)$/i.test(flags.logformat))
    log.warn({ logformat: flags.logformat }, 'unknown format of the log; text is used')
  for (const { flag, why } of flags.idle) log.warn({ flag, why }, 'a flag without effect')
  const access = await findAccess(flags)
  const userAgent = `pintle-controller/${flags.version}`
  const wire = undiciTransport(access, { userAgent })
  let controller: Controller | undefined
  const metrics = createMetrics(flags.version, () => controller)
  // Renewals have a connection of their own: they wait behind nothing.
  const leaseWire = flags.election && undiciTransport(access, { userAgent, connections: 1 })
  const leader = leaseWire && (await elect(flags, metrics.counting(leaseWire), access.namespace, log))
  const servers = await Promise.all([
    ...(flags.metricsPort > 0 ? [serveMetrics(flags.metricsPort, metrics)] : []),
    ...(flags.healthzPort > 0
      ? [serveHealth(flags.healthzPort, { isAlive: () => true, isReady: () => !controller || controller.isReady() })]
      : []),
  ])
  const signal = firstSignal(log)
  log.info({ server: access.server, namespace: flags.namespace ?? 'all' }, 'controller starts')
  const begun = leader ? leader.gained.then(() => 'leads' as const) : 'leads'
  const first = await Promise.race([signal, begun])
  const out = createFetch()
  const aws = flags.albTag === undefined ? undefined : withLoadBalancers(out.fetch, flags.albTag)
  if (first === 'leads') {
    const door = metrics.counting(fencedBy(leader, limitedBy(flags, wire)))
    controller = await start(flags, access.namespace, door, aws?.fetch ?? out.fetch, metrics, log)
    controller.ready.then(
      () => log.info({}, 'controller is ready'),
      () => {},
    )
  }
  const end =
    first === 'leads' ? await Promise.race([signal, ...(leader ? [leader.lost.then(() => LOST)] : [])]) : first
  // Without the lease nothing may be finished: somebody else does it. The process ends and is started anew (client-go).
  if (end === LOST) return 1
  log.info({ signal: end }, 'controller stops')
  await controller?.stop()
  await leader?.stop()
  aws?.close()
  await Promise.all([wire.close(), leaseWire?.close(), out.close(), ...servers.map(server => server.close())])
  return 0
}

const LOST = 'the lease is lost'

const limitedBy = ({ qps, burst = 80 }: ControllerFlags, wire: Transport): Transport =>
  qps === undefined ? wire : limited(wire, { qps, burst, clock: systemClock })

const fencedBy = (leader: Leader | undefined, wire: Transport): Transport =>
  leader ? fenced(wire, leader.isLeading) : wire

async function start(
  flags: ControllerFlags,
  home: string,
  transport: Transport,
  fetch: Fetch,
  metrics: Metrics,
  log: Log,
) {
  return startController({
    transport,
    clock: systemClock,
    random: Math.random,
    log,
    known: {
      ...(await loadKnown()),
      home,
      asksProviders: flags.albTag !== undefined,
      apiVersions: flags.bindingVersion === undefined ? {} : { TargetGroupBinding: flags.bindingVersion },
    },
    providers: await loadProviders(),
    fetch,
    observer: metrics,
    ...(flags.resync > 0 ? { resync: flags.resync } : {}),
    ...(flags.analysisOnly ? { analysisOnly: true } : {}),
    concurrency: flags.rolloutThreads,
    analysisConcurrency: flags.analysisThreads,
    experimentConcurrency: flags.experimentThreads,
    serviceConcurrency: flags.serviceThreads,
    ...(flags.namespace ? { namespace: flags.namespace } : {}),
    ...(flags.instanceId ? { instanceId: flags.instanceId } : {}),
    yield: () => turn(),
  })
}

const monotonic: Clock = {
  now: () => performance.now(),
  at(time, run) {
    const timer = setTimeout(run, Math.max(0, time - performance.now()))
    return () => clearTimeout(timer)
  },
}

/** Begins to try for the lease. */
async function elect(flags: ControllerFlags, wire: Transport, fallback: string, log: Log): Promise<Leader> {
  const kube = createKube(wire, { clock: monotonic })
  const namespace = flags.leaseNamespace ?? (await ownNamespace(kube, fallback, log))
  return startLeader({
    kube,
    clock: monotonic,
    wall: Date.now,
    random: Math.random,
    log,
    namespace,
    name: flags.instanceId ? `${LEASE_NAME}-${flags.instanceId}` : LEASE_NAME,
    identity: `${hostname()}_${randomUUID()}`,
    ...(flags.election ? { timings: flags.election } : {}),
  })
}

/** argo: POD_NAMESPACE, else the service account's, else argo-rollouts. Where that one does not exist, as on somebody's
 * trial cluster, the namespace of the kubeconfig: a lease that cannot be made would be an endless wait. */
async function ownNamespace(kube: Kube, fallback: string, log: Log): Promise<string> {
  const given = process.env['POD_NAMESPACE']
  if (given) return given
  const file = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'
  const ours = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (ours) return ours
  const usual = { apiVersion: 'v1', kind: 'Namespace', name: 'argo-rollouts' }
  const isMissing = await kube.get(usual).then(() => false, isNotFound)
  if (!isMissing) return usual.name
  log.warn({ missing: usual.name, namespace: fallback }, 'the lease is kept in the namespace of the kubeconfig')
  return fallback
}

/** In a cluster the service account, elsewhere the kubeconfig; of either what no flag overrules. */
async function findAccess(flags: ControllerFlags): Promise<Access> {
  const given = flags.connection ?? {}
  return overridden(await foundAccess(flags, given), given)
}

async function foundAccess(flags: ControllerFlags, { server, cluster, user }: Overrides): Promise<Access> {
  const isInCluster = process.env['KUBERNETES_SERVICE_HOST'] !== undefined && flags.kubeconfig === undefined
  if (isInCluster) return (await import('../kube/in-cluster.ts')).loadInCluster()
  const { loadKubeconfig } = await import('../kube/kubeconfig.ts')
  try {
    return await loadKubeconfig({
      ...(flags.kubeconfig ? { path: flags.kubeconfig } : {}),
      ...(flags.context ? { context: flags.context } : {}),
      ...(cluster === undefined ? {} : { cluster }),
      ...(user === undefined ? {} : { user }),
    })
  } catch (error) {
    // argo: an address is enough where there is no kubeconfig and nobody named one.
    const isNothing = error instanceof UserError && error.code === 'PIN2001' && flags.kubeconfig === undefined
    if (isNothing && server !== undefined) return { server, namespace: 'default' }
    throw error
  }
}

/** The first signal ends the work in good order, a second one at once. */
function firstSignal(log: Log): Promise<string> {
  return new Promise(resolve => {
    let asked = false
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        if (asked) {
          log.warn({ signal: name }, 'second signal: stops at once')
          process.exit(1)
        }
        asked = true
        resolve(name)
      })
    }
  })
}
