// Whether a plugin routes the traffic.
import type { CanaryStrategy } from '../../api/rollout.ts'

/** Any plugin at all. argo: an empty map vanishes on the way. */
export const hasPlugins = (routing: NonNullable<CanaryStrategy['trafficRouting']>): boolean =>
  Object.keys(routing['plugins'] ?? {}).length > 0
