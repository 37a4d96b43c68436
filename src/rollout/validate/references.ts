// What a spec refers to must exist and fit (argo-behaviour 9.2, 9.4). Missing things come back by themselves: the
// rollout is looked at again when they appear.
import type { Service } from '../../api/kube.ts'
import type { Desired } from '../../contract.ts'
import { HASH_LABEL, MANAGED_BY } from '../keys.ts'
import type { Observed, Problem } from '../observe.ts'
import type { Known } from '../plan.ts'
import { ownerOf } from '../revision.ts'
import { configuredRouters } from '../routers.ts'
import { canaryServices } from '../services.ts'
import { maxTrafficWeight } from '../weight.ts'

export function findReferenceProblem(seen: Observed, known: Known): Problem | undefined {
  for (const [path, name] of referencedServices(seen)) {
    const problem = checkService(seen, path, name)
    if (problem) return problem
  }
  return findRouterProblem(seen, known)
}

/** [path, name] of the Services that the strategy names, in the order in which they are checked. */
export function referencedServices(seen: Pick<Observed, 'spec'>): readonly (readonly [string, string])[] {
  const { blueGreen, canary } = seen.spec.strategy ?? {}
  const named: readonly (readonly [string, string | undefined])[] = [
    ['spec.strategy.blueGreen.activeService', blueGreen?.activeService],
    ['spec.strategy.blueGreen.previewService', blueGreen?.previewService],
    ['spec.strategy.canary.pingPong.pingService', canary?.pingPong?.pingService],
    ['spec.strategy.canary.pingPong.pongService', canary?.pingPong?.pongService],
    ['spec.strategy.canary.stableService', canary?.stableService],
    ['spec.strategy.canary.canaryService', canary?.canaryService],
  ]
  return named.flatMap(([path, name]) => (name ? [[path, name] as const] : []))
}

function checkService(seen: Observed, path: string, name: string): Problem | undefined {
  const service: Service | undefined = seen.service(name)
  const problem = (text: string): Problem => ({ message: `${path}: Invalid value: ${JSON.stringify(name)}: ${text}` })
  if (!service) return problem(`service "${name}" not found`)
  const labels = seen.template.metadata?.labels ?? {}
  const selector = service.spec?.selector ?? {}
  const unmatched = Object.keys(selector).find(key => key !== HASH_LABEL && labels[key] !== selector[key])
  if (unmatched !== undefined) return problem(`Service "${name}" has unmatch label "${unmatched}" in rollout`)
  const manager = service.metadata.annotations?.[MANAGED_BY]
  if (manager !== undefined && manager !== seen.rollout.metadata.name) {
    return problem(`Service "${name}" is managed by another Rollout`)
  }
  return undefined
}

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
  }
}

/** Router blocks that nobody here knows, that do not fit their schema, or whose objects are missing or unfit. */
function findRouterProblem(seen: Observed, known: Known): Problem | undefined {
  for (const { name, router, config } of configuredRouters(seen, known)) {
    const path = `${ROUTING}.${name.includes('/') ? `plugins.${name}` : name}`
    if (!router) {
      const names = Object.keys(known.routers).join(', ')
      return { message: `${path}: Invalid value: "${name}": unknown traffic router; this version has: ${names}` }
    }
    const parsed = router.config.safeParse(config)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      return { message: `${[path, ...(issue?.path ?? [])].join('.')}: Invalid value: ${issue?.message ?? 'invalid'}` }
    }
    const finding = router.check?.(parsed.data, atRest(seen), seen.look).find(one => one.level === 'error')
    if (finding) return { message: `${ROUTING}.${finding.path ?? name}: ${finding.message}` }
  }
  return undefined
}
