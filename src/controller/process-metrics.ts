// The metrics of the process itself: memory, processor time, handles, collections.
import { collectDefaultMetrics, type Registry } from 'prom-client'

/** Those that prom-client takes from a timer which wakes the process a hundred times a second, for a controller that may
 * have nothing to do for hours. `nodejs_eventloop_lag_seconds`, taken at each scrape, stays. */
const FROM_A_TIMER = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
  part => `nodejs_eventloop_lag_${part}_seconds`,
)
/** The longest that a timer can be set to, in milliseconds. */
const NEVER = 2 ** 31 - 1

/** Adds them to what `register` tells. */
export function collectProcessMetrics(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: NEVER })
  for (const name of FROM_A_TIMER) register.removeSingleMetric(name)
}
