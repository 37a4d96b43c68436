// Blue-green through routes, asked for by the annotation pintle.dev/traffic (upstream's blueGreen has no such block).
import { type Desired, TerminalError } from '../contract.ts'
import { TRAFFIC } from './keys.ts'
import type { Observed } from './observe.ts'
import { NOTHING, type Part, part, warning } from './part.ts'
import type { Known } from './plan.ts'
import { ownerOf } from './revision.ts'
import { selectedHash } from './services.ts'

/** The route table entry that shows the active and the preview Service; the value names the router, e.g. `proxy`. */
export function planBlueGreenRoutes(seen: Observed, known: Pick<Known, 'routers'>): Part {
  const name = seen.rollout.metadata.annotations?.[TRAFFIC]
  const { activeService = '', previewService = '' } = seen.spec.strategy?.blueGreen ?? {}
  if (!name || !activeService) return NOTHING
  const router = known.routers[name] ?? known.routers[`pintle/${name}`]
  if (!router?.caps.blueGreen) {
    const text = `annotation ${TRAFFIC}: there is no router ${name} that can do blue-green`
    return part({ events: [warning('TrafficRoutingError', text)], because: [text] })
  }
  const dest = (role: 'active' | 'preview', service: string, weight: number) => {
    const hash = selectedHash(seen.service(service))
    return { role, service, weight, ...(hash ? { hash } : {}) }
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
    return part({ actions: router.plan(router.config.parse({}), desired, seen.look) })
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    return part({ events: [warning('TrafficRoutingError', error.message)], because: [error.message] })
  }
}
