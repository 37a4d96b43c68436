// The built-in controllers of a cluster, started together on one server.
import type { Clock, Random } from '../../ports.ts'
import { type Api, createIndex, type Ports } from './api.ts'
import { startDeployments } from './deployment.ts'
import { startEndpointSlices } from './endpoint-slice.ts'
import { startGarbageCollector } from './garbage-collector.ts'
import { startJobs } from './job.ts'
import { startNamespaces } from './namespace.ts'
import { startReplicaSets } from './replica-set.ts'

export type ControllerPorts = Readonly<{
  clock: Clock
  random: Random
  /** Told of faults of a controller itself (not of refused writes); by default they are thrown as unhandled. */
  failed?: (error: unknown, key: string) => void
}>

type Start = (ports: Ports, failed: (error: unknown, key: string) => void) => () => void

const CONTROLLERS: readonly Start[] = [
  startNamespaces,
  startReplicaSets,
  startDeployments,
  startJobs,
  startEndpointSlices,
  startGarbageCollector,
]

/** Starts ReplicaSet, Deployment, Job, EndpointSlice, garbage-collection and namespace controllers. They act in
 * microtasks and wait only on the clock, so a virtual clock makes them deterministic. */
export function startControllers(api: Api, options: ControllerPorts): Readonly<{ stop(): void }> {
  const rethrow = (error: unknown) => {
    queueMicrotask(() => {
      throw error
    })
  }
  const { clock, random, failed = rethrow } = options
  const index = createIndex(api)
  const stops = CONTROLLERS.map(start => start({ api, index, clock, random }, failed))
  return {
    stop() {
      for (const stop of stops) stop()
      index.stop()
    },
  }
}
