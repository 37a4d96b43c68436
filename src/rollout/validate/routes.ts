// The rules of the steps that route by header and that mirror.
import type { CanaryStep, CanaryStrategy } from '../../api/rollout.ts'
import type { Causes } from '../../api/rules/causes.ts'
import { hasPlugins } from './plugins.ts'
import { shown } from './shown.ts'

type Routing = CanaryStrategy['trafficRouting']
type Match = Readonly<{ exact?: string | null; prefix?: string | null; regex?: string | null }>

const MISSED = 'StringMatch value missed, match value must have one of the following: exact, regex, prefix'
const ONE = 'StringMatch match value must have exactly one of the following: exact, regex, prefix'

const given = (match: Match | null | undefined): readonly string[] =>
  (['exact', 'prefix', 'regex'] as const).filter(kind => match?.[kind])

function checkMatch(to: Causes, field: string, match: Match | null | undefined): void {
  const count = given(match).length
  if (count > 1) to.invalid(field, shown('StringMatch', match), ONE)
  if (count === 0) to.invalid(field, shown('StringMatch', match), MISSED)
}

/** Both kinds of routes of the step at `path` must be announced, since the controller may only touch those. */
export function checkManaged(to: Causes, step: CanaryStep, path: string, routing: Routing): void {
  const given = (['setHeaderRoute', 'setMirrorRoute'] as const).filter(kind => step[kind])
  if (!routing || given.length === 0) return
  const routes = routing.managedRoutes
  if (!routes || routes.length === 0) {
    const text = "Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'"
    to.required('spec.strategy.trafficRouting.managedRoutes', text)
    return
  }
  for (const kind of given) {
    const name = step[kind]?.name ?? ''
    if (routes.some(route => (route?.name ?? '') === name)) continue
    const text = 'Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes'
    to.invalid(`${path}.${kind}`, name, text)
  }
}

/** Checks a setHeaderRoute step. */
export function checkHeaderRoute(
  to: Causes,
  route: NonNullable<CanaryStep['setHeaderRoute']>,
  path: string,
  routing: Routing,
): void {
  if (!routing || (!routing.istio && !routing.alb && !routing.apisix && !hasPlugins(routing))) {
    const text = 'SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix'
    to.invalid(path, shown('SetHeaderRoute', route), text)
  }
  if (routing && (routing.istio || routing.alb || routing.apisix || hasPlugins(routing))) {
    for (const [j, entry] of (route.match ?? []).entries()) {
      const match = entry?.headerValue as Match | null | undefined
      const field = `${path}.match[${j}]`
      if (!routing.alb) checkMatch(to, field, match)
      else if (match == null) to.invalid(field, null, MISSED)
      else if (given(match).join() !== 'exact') {
        to.invalid(
          field,
          shown('StringMatch', match),
          "SetHeaderRoute match value invalid. ALB supports 'exact' value only",
        )
      }
    }
  }
}

/** Checks a setMirrorRoute step. argo: headers are not checked, and a bad method is told twice. */
export function checkMirrorRoute(
  to: Causes,
  route: NonNullable<CanaryStep['setMirrorRoute']>,
  path: string,
  routing: Routing,
): void {
  if (!routing || (!routing.istio && !hasPlugins(routing))) {
    const text = 'SetMirrorRoute requires TrafficRouting, supports Istio and Plugins'
    to.invalid(path, shown('SetMirrorRoute', route), text)
  }
  for (const [j, entry] of (route.match ?? []).entries()) {
    const field = `${path}.match[${j}]`
    const { method, path: target } = (entry ?? {}) as { method?: Match | null; path?: Match | null }
    if (method != null) checkMatch(to, field, method)
    if (target != null) checkMatch(to, field, target)
    if (method != null) checkMatch(to, field, method)
  }
}
