// The controller: watches, wakes up keys, reconciles them. Everything it needs is handed in, so that it runs the same
// on a real cluster, in the demo and under a virtual clock.

import type { Providers } from '../analysis/measure.ts'
import { reconcileAnalysis } from '../analysis/reconcile.ts'
import { ENDPOINT_SLICE } from '../api/endpoint-slice.ts'
import type { Service } from '../api/kube.ts'
import type { Rollout } from '../api/rollout.ts'
import { type EventNote, type KindRef, type KubeObject, type Millis, type Ref, refOf } from '../contract.ts'
import { reconcileExperiment } from '../experiment/reconcile.ts'
import { type Cache, createCache } from '../kube/cache.ts'
import { type Change, controllerUid } from '../kube/change.ts'
import { isConflict, isNamespaceTerminating, isNotFound } from '../kube/errors.ts'
import { createKube } from '../kube/kube.ts'
import { createQueue, type Load, type Queue } from '../kube/queue.ts'
import { createTracker } from '../kube/tracker.ts'
import type { Clock, Fetch, Key, Kube, Log, Lookup, Random, Result, Transport } from '../ports.ts'
import type { Attempt } from '../rollout/duration.ts'
import { INSTANCE_ID } from '../rollout/keys.ts'
import { ANALYSIS_RUN, EXPERIMENT, REPLICA_SET, ROLLOUT, SERVICE } from '../rollout/observe.ts'
import type { Known } from '../rollout/plan.ts'
import { reconcile } from '../rollout/reconcile.ts'
import { routingsIn } from '../rollout/routes-release.ts'
import { managerOf } from '../rollout/service-release.ts'
import { ANALYSIS_TEMPLATE, CLUSTER_TEMPLATE } from '../rollout/templates.ts'
import { createRecorder } from './events.ts'
import { createFreshness } from './fresh.ts'
import type { QueueName } from './queue-metrics.ts'
import { createReferences, referencesOf } from './references.ts'
import { reconcileRoute } from './routes.ts'
import { reconcileService } from './services.ts'
import { type Unseen, unseenOf } from './unseen.ts'

export type ControllerOptions = Readonly<{
  transport: Transport
  clock: Clock
  random: Random
  log: Log
  known: Known
  /** Metric providers by name. */
  providers: Providers
  /** How measurements and step plugins reach the outside. */
  fetch: Fetch
  /** Only this namespace; all when unset. */
  namespace?: string
  /** Rollouts that are worked on at once; 10. */
  concurrency?: number
  /** AnalysisRuns that are worked on at once; 30. */
  analysisConcurrency?: number
  /** Experiments that are worked on at once; 10. */
  experimentConcurrency?: number
  /** Services, and objects of routers, that are given back at once; 10. */
  serviceConcurrency?: number
  /** Only Argo objects that carry this controller-instance-id label; when unset, only those without that label. */
  instanceId?: string
  /** Every rollout is looked at again this often, milliseconds; never when unset. */
  resync?: Millis
  /** Work on AnalysisRuns alone; a controller beside this one does the rest. */
  analysisOnly?: boolean
  /** Told of what is done. */
  observer?: Observer
  /** Lets sockets and probes have their turn between reconciles; leave it out under a virtual clock. */
  yield?: () => Promise<void>
}>

type Counted = 'rollout' | 'analysis_run' | 'experiment'

/** Hears of passes and events, and of what is gone; for metrics. */
export type Observer = Readonly<{
  reconciled(kind: Counted, key: Key, seconds: number, failed: boolean): void
  event(about: KubeObject, note: EventNote): void
  ended?(attempt: Attempt): void
  worked?(queue: string, waited: number, took: number, failed: boolean): void
  forget(kind: Counted, key: Key): void
}>

export type Controller = Readonly<{
  cache: Cache
  /** Resolves when everything has been listed once and work begins. */
  ready: Promise<void>
  /** Has everything been listed once? */
  isReady(): boolean
  /** Something is waiting to be done now. */
  busy(): boolean
  /** What waits and what is worked on, by the names of the queues. */
  loads(): Readonly<Record<string, Load>>
  /** Ends running reconciles (at most 20 s), writes the last events, closes the watches. */
  stop(): Promise<void>
}>

const INGRESS: KindRef = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }
const CONFIG_MAP: KindRef = { apiVersion: 'v1', kind: 'ConfigMap' }
const DRAIN: Millis = 20_000
/** What may still be written of Events afterwards, within the half minute that a pod has for its end. */
const LAST_EVENTS: Millis = 5_000
/** Changes come in bursts: a user's command may be two writes, one of ours brings the ReplicaSet's counts and the pods'. A
 * pass waits this long for the rest of the burst, so that one look sees it all. */
const LULL: Millis = 5
const LULL_OF_COUNTS: Millis = 20

/** Starts watching and working. */
export function startController(options: ControllerOptions): Controller {
  const { transport, clock, random, log, known, namespace } = options
  const kube = createKube(transport, { clock, log })
  const cache = createCache({ transport, clock, random, log })
  const tracker = createTracker({ clock })
  const freshness = createFreshness(kube, tracker, cache, clock)
  const references = createReferences(known)
  const events = createRecorder(kube, clock, log)
  const { observer } = options
  const record: typeof events.record = (about, note) => {
    observer?.event(about, note)
    events.record(about, note)
  }
  const scope = namespace === undefined ? {} : { namespace }

  /** Runs `work` on a cache that shows what we did for this key before. */
  const onFresh = async (text: string, work: (kube: Kube, lookup: Lookup) => Promise<Result>): Promise<Result> => {
    const fresh = await freshness.lookup(text)
    return 'recheckAt' in fresh ? fresh : await work(freshness.door(text), fresh.lookup)
  }

  /** Once everything that all rollouts need has been listed. Kinds that come later hold only those that name them. */
  const begin = Promise.withResolvers<void>()
  let hasBegun = false

  const runRollout = async (key: Key): Promise<Result> => {
    // Before the first lists are in, an empty cache looks like a cluster without ReplicaSets: nothing may be planned on it.
    if (!hasBegun) await begin.promise
    const rollout = cache.get({ ...ROLLOUT, ...key }) as Rollout | undefined
    if (!rollout) return {}
    const unseen = unseenBy(rollout)
    if (unseen && 'again' in unseen) return { recheckAt: clock.now() + unseen.again }
    return await onFresh(keyText(key), (door, lookup) =>
      reconcile(
        key,
        {
          kube: door,
          cache: lookup,
          clock,
          log,
          fetch: options.fetch,
          record,
          ended: attempt => observer?.ended?.(attempt),
          ...(unseen ? { unseen: unseen.told } : {}),
        },
        known,
      ),
    )
  }

  const runAnalysis = async (key: Key): Promise<Result> => {
    if (!hasBegun) await begin.promise
    return await onFresh(`analysis ${keyText(key)}`, (door, lookup) => {
      const ports = { kube: door, cache: lookup, clock, log, fetch: options.fetch, record }
      return reconcileAnalysis(key, ports, {
        providers: options.providers,
        ...(known.home ? { home: known.home } : {}),
      })
    })
  }

  const runExperiment = async (key: Key): Promise<Result> => {
    if (!hasBegun) await begin.promise
    return await onFresh(`experiment ${keyText(key)}`, (door, lookup) =>
      reconcileExperiment(key, { kube: door, cache: lookup, clock, log, record }),
    )
  }

  const runService = async (key: Key): Promise<Result> => {
    if (!hasBegun) await begin.promise
    return await onFresh(`service ${keyText(key)}`, (door, lookup) =>
      reconcileService(key, { kube: door, cache: lookup, log }),
    )
  }

  const runRoute = async (ref: RouteKey): Promise<Result> => {
    if (!hasBegun) await begin.promise
    return await onFresh(`route ${routeText(ref)}`, (door, lookup) =>
      reconcileRoute(ref, { kube: door, cache: lookup, clock, log, record }, known),
    )
  }

  /** Kinds that only some rollouts need are watched from the first rollout on that names one. */
  const unseenBy = (rollout: Rollout): Unseen | undefined => {
    const kinds = referencesOf(rollout, known).map(({ apiVersion, kind }) => ({ apiVersion, kind }))
    for (const kind of kinds) if (!cache.isWatched(kind)) cache.watch(kind, scope)
    return unseenOf(kinds, cache)
  }

  const queueOf = <K extends Key>(
    name: QueueName,
    concurrency: number,
    run: (key: K) => Promise<Result>,
    counted?: Readonly<{ kind: KindRef; as: Counted }>,
    textOf: (key: K) => string = keyText,
  ) =>
    createQueue<K>({
      clock,
      random,
      log,
      concurrency,
      keyText: textOf,
      run,
      onError: (key, error, failures) => report(log, key, error, failures),
      onDone: (key, { waited, took, failed }) => {
        observer?.worked?.(name, waited / 1000, took / 1000, failed)
        // A last look at what is gone is no pass over an object.
        if (!counted || !cache.get({ ...counted.kind, ...key })) return
        observer?.reconciled(counted.as, key, took / 1000, failed)
      },
      ...(options.yield ? { yield: options.yield } : {}),
    })
  const queue = queueOf('Rollouts', options.concurrency ?? 10, runRollout, { kind: ROLLOUT, as: 'rollout' })
  const services = queueOf('Services', options.serviceConcurrency ?? 10, runService)
  const routes = queueOf<RouteKey>('Routes', options.serviceConcurrency ?? 10, runRoute, undefined, routeText)
  const experiments = queueOf('Experiments', options.experimentConcurrency ?? 10, runExperiment, {
    kind: EXPERIMENT,
    as: 'experiment',
  })
  const analyses = queueOf('AnalysisRuns', options.analysisConcurrency ?? 30, runAnalysis, {
    kind: ANALYSIS_RUN,
    as: 'analysis_run',
  })
  const queues: Readonly<Record<QueueName, Pick<Queue<Key>, 'busy' | 'load' | 'stop'>>> = {
    Rollouts: queue,
    Services: services,
    Routes: routes,
    Experiments: experiments,
    AnalysisRuns: analyses,
  }

  const soon = (key: Key, { kind }: KubeObject) =>
    queue.addAt(key, clock.now() + (kind === 'ReplicaSet' ? LULL_OF_COUNTS : LULL))

  const added = (rollout: KubeObject) => {
    const { namespace: ns, name } = rollout.metadata
    const message = `Rollout resource added to informer: ${ns}/${name}`
    record(rollout, { type: 'Normal', reason: 'RolloutAddedToInformer', message })
  }

  /** A run or an experiment changed: it is looked at, or forgotten. */
  const moved = ({ type, object }: Change, lane: Queue<Key>, text: string, counted: Counted) => {
    const key = { namespace: object.metadata.namespace ?? '', name: object.metadata.name }
    if (type !== 'DELETED') return lane.add(key)
    freshness.forget(`${text} ${keyText(key)}`)
    observer?.forget(counted, key)
  }

  /** What a rollout named is looked at once more: it may be the rollout's no longer. */
  const left = (refs: readonly Ref[]): void => {
    for (const { namespace: ns = '', ...ref } of refs) {
      if (ref.kind === 'Service') services.add({ namespace: ns, name: ref.name })
      else if (cache.isWatched(ref)) routes.add({ ...ref, namespace: ns })
    }
  }

  cache.onChange(change => {
    tracker.saw(change)
    const { type, object } = change
    if (object.kind === 'Rollout') {
      const { namespace: ns = '', name } = object.metadata
      if (type === 'DELETED') {
        left(references.remove(object))
        freshness.forget(keyText({ namespace: ns, name }))
        observer?.forget('rollout', { namespace: ns, name })
        record(object, {
          type: 'Normal',
          reason: 'RolloutDeleted',
          // argo: in this odd order.
          message: `Rollout ${name}/${ns} is deleted.`,
        })
        return
      }
      left(references.update(object as Rollout))
      if (type === 'ADDED') added(object)
      soon({ namespace: ns, name }, object)
      return
    }
    if (object.kind === 'AnalysisRun') moved(change, analyses, 'analysis', 'analysis_run')
    if (object.kind === 'Experiment') moved(change, experiments, 'experiment', 'experiment')
    if (object.kind === 'Service' && type !== 'DELETED' && managerOf(object as Service)) {
      services.add({ namespace: object.metadata.namespace ?? '', name: object.metadata.name })
    }
    if (type !== 'DELETED' && !options.analysisOnly && routingsIn(object, known).length > 0) left([refOf(object)])
    const owner = object.metadata.ownerReferences?.find(one => one.controller)
    const rest = owner?.kind === 'Experiment' && !options.analysisOnly ? experiments : undefined
    const lane = owner?.kind === 'AnalysisRun' ? analyses : rest
    if (owner) lane?.add({ namespace: object.metadata.namespace ?? '', name: owner.name })
    if (options.analysisOnly) return
    // Whoever has lost an object must hear of it, too.
    const { previous } = change
    const isHandedOver = previous && controllerUid(previous) !== controllerUid(object)
    for (const one of isHandedOver ? [object, previous] : [object])
      for (const key of references.wakes(one)) soon(key, object)
  })

  const own = { ...scope, labelSelector: instanceSelector(options.instanceId) }
  const watchRest: typeof cache.watch = options.analysisOnly ? () => {} : cache.watch
  watchRest(ROLLOUT, own)
  watchRest(REPLICA_SET, { ...scope, labelSelector: 'rollouts-pod-template-hash' })
  watchRest(SERVICE, scope)
  cache.watch(ANALYSIS_RUN, own)
  watchRest(EXPERIMENT, own)
  cache.watch(ANALYSIS_TEMPLATE, own)
  if (namespace === undefined) cache.watch(CLUSTER_TEMPLATE, { labelSelector: own.labelSelector })
  watchRest(INGRESS, scope)
  for (const provider of Object.values(options.providers)) {
    if ('object' in provider && !cache.isWatched(provider.kind)) {
      cache.watch(provider.kind, { ...scope, labelSelector: 'analysisrun.argoproj.io/uid' })
    }
  }
  watchRest(CONFIG_MAP, { ...scope, labelSelector: 'pintle.dev/route-table' })
  // Of all endpoints in the cluster only those of proxies.
  const routers = options.analysisOnly ? [] : Object.values(known.routers)
  const routed = routers.map(router => router.followers?.label)
  const measured = Object.values(options.providers).map(one => ('everyone' in one ? one.everyone?.label : undefined))
  for (const label of new Set([...routed, ...measured].flatMap(one => one ?? [])))
    cache.watch(ENDPOINT_SLICE, { ...scope, labelSelector: `${label}=true` })

  /** Looks at every rollout again, spread over nothing: keys that are waiting already are not doubled. */
  let cancelResync = (): void => {}
  const resync = (): void => {
    const { resync: period } = options
    if (period === undefined || options.analysisOnly) return
    cancelResync = clock.at(clock.now() + period, () => {
      for (const { metadata } of cache.list(ROLLOUT, '')) {
        queue.add({ namespace: metadata.namespace ?? '', name: metadata.name })
      }
      resync()
    })
  }
  void cache.synced().then(() => {
    hasBegun = true
    begin.resolve()
    resync()
  })

  return {
    cache,
    ready: begin.promise,
    isReady: () => hasBegun,
    busy: () => Object.values(queues).some(one => one.busy()),
    loads: () => Object.fromEntries(Object.entries(queues).map(([name, one]) => [name, one.load()])),
    async stop() {
      cancelResync()
      await Promise.all(Object.values(queues).map(one => one.stop(DRAIN)))
      await events.stop(LAST_EVENTS)
      await cache.stop()
    },
  }
}

/** argo: a controller with an id sees objects with that label, one without sees those without any. */
const instanceSelector = (id: string | undefined): string => (id ? `${INSTANCE_ID}=${id}` : `!${INSTANCE_ID}`)

const keyText = (key: Key): string => `${key.namespace}/${key.name}`

/** An object that routers write. */
type RouteKey = Ref & Key

const routeText = (key: RouteKey): string => `${key.kind} ${keyText(key)}`

/** Conflicts, and namespaces on their way out, are daily bread and say nothing; the world's troubles are one line; our own faults show their stack. */
function report(log: Log, key: Key, error: unknown, failures: number): void {
  const fields = { ns: key.namespace, rollout: key.name, failures }
  const { name } = error as { name?: string }
  if (isConflict(error) || isNotFound(error) || isNamespaceTerminating(error))
    log.debug({ ...fields, error: String(error) }, 'looks again')
  else if (name === 'ApiError' || name === 'AmbiguousError') {
    log.warn({ ...fields, error: String(error) }, 'the API server refused; tries again')
  } else log.error({ ...fields, error: error instanceof Error ? error.stack : String(error) }, 'reconcile failed')
}
