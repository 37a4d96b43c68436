// The routers that a spec names: known, configured in their form, and with the objects that they need.
import type { Desired } from '../../contract.ts'
import type { Observed, Problem } from '../observe.ts'
import type { Known } from '../plan.ts'
import { ownerOf } from '../revision.ts'
import { configuredRouters } from '../routers.ts'
import { canaryServices } from '../services.ts'
import { managedNames } from '../traffic.ts'
import { maxTrafficWeight } from '../weight.ts'

const ROUTING = 'spec.strategy.canary.trafficRouting'

/** All traffic at stable: enough for a router to say what it misses. */
function atRest(seen: Observed): Desired {
  const total = maxTrafficWeight(seen.spec)
  const { stable, canary } = canaryServices(seen)
  return {
    owner: ownerOf(seen),
    namespace: seen.rollout.metadata.namespace ?? '',
    total,
    totalIsExplicit: false,
    dests: [
      { role: 'canary', weight: 0, service: canary },
      { role: 'stable', weight: total, service: stable },
    ],
    headers: [],
    mirrors: [],
    managed: managedNames(seen),
  }
}

export type RouterFindings = Readonly<{ missing: Problem | undefined; unfit: readonly Problem[] }>

/** Router blocks that nobody here knows, that do not fit their schema, or whose objects are missing or unfit. */
export function routerFindings(seen: Observed, known: Known): RouterFindings {
  const missing: Problem[] = []
  const unfit: Problem[] = []
  // argo: what a mesh misses is told after what the Ingresses miss.
  const configured = configuredRouters(seen, known).toSorted(
    (a, b) => Number(a.name === 'istio') - Number(b.name === 'istio'),
  )
  for (const { name, router, config } of configured) {
    const path = `${ROUTING}.${name.includes('/') ? `plugins.${name}` : name}`
    if (!router) {
      const names = Object.keys(known.routers).join(', ')
      missing.push({ message: `${path}: Invalid value: "${name}": unknown traffic router; this version has: ${names}` })
      continue
    }
    const parsed = router.config.safeParse(config)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      const message = `${[path, ...(issue?.path ?? [])].join('.')}: Invalid value: ${issue?.message ?? 'invalid'}`
      missing.push({ message })
      continue
    }
    for (const finding of router.check?.(parsed.data, atRest(seen), seen.look) ?? []) {
      if (finding.level !== 'error') continue
      const found = { message: `${ROUTING}.${finding.path ?? name}: ${finding.message}` }
      if (finding.isMissing) missing.push(found)
      else unfit.push(found)
    }
  }
  return { missing: missing[0], unfit }
}
