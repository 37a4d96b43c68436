// A whole cluster in this process: API server, built-in controllers, a node, and whatever controller is put on top.
import type { Api } from '../apiserver/controllers/api.ts'
import { startControllers } from '../apiserver/controllers/start.ts'
import { type ApiServer, createApiServer } from '../apiserver/server.ts'
import { type KindRef, type KubeObject, type Millis, refOf } from '../contract.ts'
import type { Clock, Random } from '../ports.ts'
import { seeded, type VirtualClock, virtualClock } from './clock.ts'
import { type MakeRuntime, type StageOptions, stages, startKubelet } from './kubelet.ts'
import { type ListenerOptions, listeners } from './listeners.ts'
import { directPods } from './pod-api.ts'
import { runTo, runUntil, settle } from './settle.ts'

/** Something started on a world, such as the product's controller. */
export type Started = Readonly<{ stop(): Promise<void> | void }>

export type WorldOptions = Readonly<{
  /** The same seed and the same doings give the same world; default 1. */
  seed?: number
  /** When virtual time starts, milliseconds since the epoch; default 2026-01-01. */
  start?: Millis
  /** What plays the node; default `stages`: Pods that run nothing. `listeners` are real sockets and need a clock that
   * runs by itself. A runtime of one's own is possible. */
  kubelet?: 'stages' | 'listeners' | 'none' | MakeRuntime
  stages?: StageOptions
  listeners?: Partial<ListenerOptions>
  /** Definitions of custom resources that are there from the beginning. */
  crds?: readonly KubeObject[]
  /** Started last, on the finished world. */
  controller?: (world: World) => Started | Promise<Started>
  /** Told of what goes wrong in a built-in controller or the node; default: throw. */
  failed?: (error: unknown) => void
}>

/** The parts of a world that do not depend on the kind of its clock. */
export type Cluster = Readonly<{ server: ApiServer; clock: Clock; random: Random; stop(): Promise<void> }>

export type World = Cluster &
  Readonly<{
    clock: VirtualClock
    /** Creates each object, or merges it into the one that is there; the world rests after each. */
    apply(objects: KubeObject | readonly KubeObject[], namespace?: string): Promise<void>
    get(kind: KindRef, name: string, namespace?: string): KubeObject | undefined
    list(kind: KindRef, namespace?: string): readonly KubeObject[]
    /** Lets so many seconds of virtual time pass. */
    run(seconds: number): Promise<void>
    /** Lets virtual time pass until something holds, at most so many seconds; whether it did. */
    until(met: () => boolean, seconds?: number): Promise<boolean>
    /** Lets everything happen that can happen without time passing. */
    settle(): Promise<void>
  }>

/** Midnight of the first of January 2026, UTC. */
export const NEW_YEAR = 1_767_225_600_000

type ClusterOptions = Omit<WorldOptions, 'start' | 'controller'> & Readonly<{ clock: Clock }>

/** An API server with its controllers and node on any clock. Its work is done in microtasks and by the clock's timers. */
export function createCluster(options: ClusterOptions): Cluster {
  const { clock, kubelet = 'stages' } = options
  const random = seeded(options.seed ?? 1)
  const server = createApiServer({ clock, random })
  for (const crd of options.crds ?? []) server.create(crd)
  const failed = options.failed ?? rethrow
  const api: Api = server
  const controllers = startControllers(api, { clock, random, failed })
  const runtime = runtimeOf(kubelet, options, clock, random)
  const node = runtime && startKubelet({ pods: directPods(api), clock, runtime, failed })
  return {
    server,
    clock,
    random,
    async stop() {
      await node?.stop()
      controllers.stop()
    },
  }
}

function runtimeOf(
  kubelet: NonNullable<WorldOptions['kubelet']>,
  options: ClusterOptions,
  clock: Clock,
  random: Random,
): MakeRuntime | undefined {
  if (kubelet === 'none') return undefined
  if (kubelet === 'stages') return stages(options.stages)
  return kubelet === 'listeners' ? listeners({ clock, random, ...options.listeners }) : kubelet
}

const rethrow = (error: unknown): void => {
  queueMicrotask(() => {
    throw error
  })
}

/** A cluster on a virtual clock, at rest. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const clock = virtualClock(options.start ?? NEW_YEAR)
  const cluster = createCluster({ ...options, clock })
  const { server } = cluster
  const pulse = () => server.core.store.version()
  let controller: Started | undefined
  const world: World = {
    ...cluster,
    clock,
    async apply(objects, namespace = 'default') {
      for (const object of Array.isArray(objects) ? (objects as readonly KubeObject[]) : [objects as KubeObject]) {
        applyTo(server, object, namespace)
        await settle(clock, pulse)
      }
    },
    get: (kind, name, namespace = 'default') => server.get(kind, namespace, name),
    list: (kind, namespace) => server.list(kind, namespace),
    run: seconds => runTo(clock, clock.now() + seconds * 1000, pulse),
    until: (met, seconds = 3600) => runUntil(clock, met, clock.now() + seconds * 1000, pulse),
    settle: () => settle(clock, pulse),
    async stop() {
      await controller?.stop()
      await cluster.stop()
    },
  }
  await world.settle()
  controller = await options.controller?.(world)
  await world.settle()
  return world
}

/** Creates an object, or merges it into the one that is there. A namespace that is missing is made. */
export function applyTo(server: ApiServer, object: KubeObject, namespace: string): KubeObject {
  const { namespaced } = server.find(object)
  const place = object.metadata.namespace ?? namespace
  const placed = namespaced ? { ...object, metadata: { ...object.metadata, namespace: place } } : object
  if (namespaced && !server.get({ apiVersion: 'v1', kind: 'Namespace' }, undefined, place))
    server.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: place } })
  if (!server.get(placed, placed.metadata.namespace, placed.metadata.name)) return server.create(placed)
  const { apiVersion: _version, kind: _kind, ...patch } = placed
  return server.patch(refOf(placed), 'merge', patch)
}
