// `pintle controller`: the controller as a process, in a cluster or beside one.
import { setImmediate as turn } from 'node:timers/promises'
import type { Access } from '../kube/access.ts'
import { undiciTransport } from '../kube/undici.ts'
import type { Clock, Log } from '../ports.ts'
import { createFetch } from './fetch.ts'
import { createLog } from './log.ts'
import { startController } from './manager.ts'
import { loadKnown, loadProviders } from './registry.ts'

export type ControllerFlags = Readonly<{
  /** Watch only this namespace. */
  namespace?: string
  kubeconfig?: string
  context?: string
  /** Rollouts worked on at once. */
  rolloutThreads?: number
  /** AnalysisRuns worked on at once. */
  analysisThreads?: number
  loglevel?: string
  logformat?: 'json' | 'text'
}>

export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, run) {
    const timer = setTimeout(run, Math.min(2 ** 31 - 1, Math.max(0, time - Date.now())))
    return () => clearTimeout(timer)
  },
}

/** Runs until a signal comes; resolves with the exit code. */
export async function runController(flags: ControllerFlags): Promise<number> {
  const log = createLog({ ...(flags.loglevel ? { level: flags.loglevel } : {}), format: flags.logformat ?? 'text' })
  const access = await findAccess(flags)
  const transport = undiciTransport(access, { userAgent: 'pintle-controller' })
  const out = createFetch()
  const controller = startController({
    transport,
    clock: systemClock,
    random: Math.random,
    log,
    known: await loadKnown(),
    providers: await loadProviders(),
    fetch: out.fetch,
    ...(flags.namespace ? { namespace: flags.namespace } : {}),
    ...(flags.rolloutThreads ? { concurrency: flags.rolloutThreads } : {}),
    ...(flags.analysisThreads ? { analysisConcurrency: flags.analysisThreads } : {}),
    yield: () => turn(),
  })
  log.info({ server: access.server, namespace: flags.namespace ?? 'all' }, 'controller starts')
  controller.ready.then(
    () => log.info({}, 'controller is ready'),
    () => {},
  )
  const signal = await firstSignal(log)
  log.info({ signal }, 'controller stops')
  await controller.stop()
  await Promise.all([transport.close(), out.close()])
  return 0
}

/** In a cluster the service account, elsewhere the kubeconfig. */
async function findAccess(flags: ControllerFlags): Promise<Access> {
  const isInCluster = process.env['KUBERNETES_SERVICE_HOST'] !== undefined && flags.kubeconfig === undefined
  if (isInCluster) return (await import('../kube/in-cluster.ts')).loadInCluster()
  const { loadKubeconfig } = await import('../kube/kubeconfig.ts')
  return loadKubeconfig({
    ...(flags.kubeconfig ? { path: flags.kubeconfig } : {}),
    ...(flags.context ? { context: flags.context } : {}),
  })
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
