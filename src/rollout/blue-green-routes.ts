// Blue-green through routes, asked for by the annotation pintle.dev/traffic (upstream's blueGreen has no such block).
import { type Desired, type Millis, TerminalError } from '../contract.ts'
import { TRAFFIC } from './keys.ts'
import type { Observed } from './observe.ts'
import { join, NOTHING, type Part, part, warning } from './part.ts'
import type { Known } from './plan.ts'
import { ownerOf } from './revision.ts'
import { annotatedRouter, observeRouter } from './routers.ts'
import { podsOf } from './traffic.ts'

/** The route table entry that shows the active and the preview version, by the hashes that this pass gives the two
 * Services: the routes change with the decision and wait for no selector. The annotation names the router, e.g. `proxy`. */
export function planBlueGreenRoutes(
  seen: Observed,
  known: Known,
  hashes: Readonly<{ active: string; preview: string }>,
  now: Millis,
): Part {
  const { activeService = '', previewService = '' } = seen.spec.strategy?.blueGreen ?? {}
  const asked = annotatedRouter(seen.rollout, known)
  if (!asked || !activeService) return NOTHING
  const { router } = asked
  const config = router?.config.safeParse(asked.config)
  if (!router?.caps.blueGreen || !config?.success) {
    const why = router?.caps.blueGreen
      ? `${config?.error?.issues[0]?.path.join('.')}: ${config?.error?.issues[0]?.message}`
      : `there is no router ${asked.name} that can do blue-green`
    return trouble(`annotation ${TRAFFIC}: ${why}`)
  }
  const dest = (role: 'active' | 'preview', service: string, weight: number) => {
    const hash = hashes[role]
    return { role, service, weight, ...(hash ? { hash, ...podsOf(seen, hash) } : {}) }
  }
  const desired: Desired = {
    owner: ownerOf(seen),
    namespace: seen.rollout.metadata.namespace ?? '',
    total: 100,
    totalIsExplicit: false,
    dests: [dest('active', activeService, 100), ...(previewService ? [dest('preview', previewService, 0)] : [])],
    headers: [],
    mirrors: [],
  }
  try {
    const actions = router.plan(config.data, desired, seen.look)
    const isAtRest = actions.length === 0 && hashes.active === hashes.preview
    const { waits } = observeRouter(seen, known, { router, config: config.data }, desired, isAtRest, now)
    return join(part({ actions }), waits)
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    return trouble(error.message)
  }
}

const trouble = (text: string): Part => part({ events: [warning('TrafficRoutingError', text)], because: [text] })
