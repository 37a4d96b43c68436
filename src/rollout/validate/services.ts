// The Services that a strategy names.
import type { Service } from '../../api/kube.ts'
import { HASH_LABEL, MANAGED_BY } from '../keys.ts'
import type { Observed, Problem } from '../observe.ts'

/** [path, name] of the Services that the strategy names, in the order in which they are checked. */
export function referencedServices(seen: Pick<Observed, 'spec'>): readonly (readonly [string, string])[] {
  const { blueGreen, canary } = seen.spec.strategy ?? {}
  const named: readonly (readonly [string, string | undefined])[] = [
    ['spec.strategy.blueGreen.activeService', blueGreen?.activeService],
    ['spec.strategy.blueGreen.previewService', blueGreen?.previewService],
    ['spec.strategy.canary.stableService', canary?.stableService],
    ['spec.strategy.canary.canaryService', canary?.canaryService],
    ['spec.strategy.canary.pingPong.pingService', canary?.pingPong?.pingService],
    ['spec.strategy.canary.pingPong.pongService', canary?.pingPong?.pongService],
  ]
  return named.flatMap(([path, name]) => (name ? [[path, name] as const] : []))
}

const problem = (path: string, name: string, text: string): Problem => ({
  message: `${path}: Invalid value: ${JSON.stringify(name)}: ${text}`,
})

/** The first Service that is not there. */
export function missingService(seen: Observed): Problem | undefined {
  const missing = referencedServices(seen).find(([, name]) => !seen.service(name))
  return missing && problem(...missing, `service ${JSON.stringify(missing[1])} not found`)
}

/** The Services that are somebody else's, or that do not select the rollout's pods. */
export const unfitServices = (seen: Observed): readonly Problem[] =>
  referencedServices(seen).flatMap(([path, name]) =>
    unfit(seen, seen.service(name)!).map(text => problem(path, name, text)),
  )

function unfit(seen: Observed, service: Service): readonly string[] {
  const { name } = service.metadata
  const labels = seen.template.metadata?.labels ?? {}
  const selector = service.spec?.selector ?? {}
  const unmatched = Object.keys(selector).find(key => key !== HASH_LABEL && labels[key] !== selector[key])
  const manager = service.metadata.annotations?.[MANAGED_BY]
  const isForeign = manager !== undefined && manager !== seen.rollout.metadata.name
  return [
    ...(unmatched === undefined ? [] : [`Service "${name}" has unmatch label ${JSON.stringify(unmatched)} in rollout`]),
    ...(isForeign ? [`Service "${name}" is managed by another Rollout`] : []),
  ]
}
