// What the work queues have to do, under the names of client-go.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Load } from '../kube/queue.ts'

type Loads = Readonly<Record<string, Load>>

/** argo: ten powers of ten, from 10 ns on. */
const SECONDS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10]

/** The controller's queues. */
export const QUEUES = ['Rollouts', 'Services', 'Routes', 'Experiments', 'AnalysisRuns'] as const
export type QueueName = (typeof QUEUES)[number]

/** Adds them to a registry; `loads` is asked at each scrape. `worked` counts a key that was worked on: seconds that it
 * waited, and that the work took. */
export function queueMetrics(registry: Registry, loads: () => Loads | undefined) {
  const about = { labelNames: ['name'] as const, registers: [registry] }
  const added = new Counter({
    ...about,
    name: 'workqueue_adds_total',
    help: 'Total number of adds handled by workqueue',
  })
  const retried = new Counter({
    ...about,
    name: 'workqueue_retries_total',
    help: 'Total number of retries handled by workqueue',
  })
  const waiting = new Histogram({
    ...about,
    name: 'workqueue_queue_duration_seconds',
    help: 'How long in seconds an item stays in workqueue before being requested.',
    buckets: SECONDS,
  })
  const working = new Histogram({
    ...about,
    name: 'workqueue_work_duration_seconds',
    help: 'How long in seconds processing an item from workqueue takes.',
    buckets: SECONDS,
  })
  const read = (name: string, help: string, value: (load: Load) => number): void => {
    new Gauge({
      ...about,
      name: `workqueue_${name}`,
      help,
      collect() {
        for (const [queue, load] of Object.entries(loads() ?? {})) this.set({ name: queue }, value(load))
      },
    })
  }
  read('depth', 'Current depth of workqueue', ({ depth }) => depth)
  read(
    'unfinished_work_seconds',
    'How many seconds of work are in progress and not counted in work_duration yet.',
    ({ running }) => running.reduce((sum, ms) => sum + ms, 0) / 1000,
  )
  read(
    'longest_running_processor_seconds',
    'How many seconds the longest running pass of workqueue has been running.',
    ({ running }) => Math.max(0, ...running) / 1000,
  )
  // Alerts ask for an increase: it must begin at 0.
  for (const name of QUEUES) {
    added.inc({ name }, 0)
    retried.inc({ name }, 0)
    waiting.zero({ name })
    working.zero({ name })
  }
  return {
    worked(name: string, waited: number, took: number, failed: boolean): void {
      added.inc({ name })
      waiting.observe({ name }, waited)
      working.observe({ name }, took)
      if (failed) retried.inc({ name })
    },
  }
}
