// The rules of spec.strategy.canary but its steps. argo: paths lack the strategy's name.
import type { CanaryStrategy } from '../../api/rollout.ts'
import type { Causes } from '../../api/rules/causes.ts'
import { checkAntiAffinity } from './anti-affinity.ts'
import { hasPlugins } from './plugins.ts'
import { checkStep } from './step.ts'

type Routing = NonNullable<CanaryStrategy['trafficRouting']>

/** argo: text that is neither N% nor a number counts as nothing at all. */
function isZero(limit: unknown, absent: boolean): boolean {
  if (limit === undefined || limit === null) return absent
  if (typeof limit === 'number') return limit === 0
  const number = /^(?:(\d+)%|([+-]?\d+))$/.exec(String(limit))?.slice(1).join('')
  return Number(number ?? 0) === 0
}

/** Checks a canary strategy. */
export function checkCanary(to: Causes, canary: CanaryStrategy): void {
  const { maxSurge, maxUnavailable } = canary
  if (isZero(maxSurge, false) && isZero(maxUnavailable, false)) {
    to.invalid('spec.strategy.maxSurge', maxSurge, 'MaxSurge and MaxUnavailable both can not be zero')
  }
  checkServices(to, canary)
  checkRouting(to, canary)
  for (const [i, step] of (canary.steps ?? []).entries()) checkStep(to, step ?? {}, `spec.strategy.steps[${i}]`, canary)
  checkAntiAffinity(to, canary.antiAffinity)
}

function checkServices(to: Causes, canary: CanaryStrategy): void {
  const { trafficRouting: routing, pingPong } = canary
  const [stable, fresh] = [canary.stableService ?? '', canary.canaryService ?? '']
  if (stable !== '' && stable === fresh) {
    const text =
      'This rollout uses the same service for the stable and canary services, but two different services are required.'
    to.invalid('spec.strategy.stableService', stable, text)
  }
  if (pingPong) checkPingPong(to, pingPong, routing)
  if (!routing || !needsServices(routing, pingPong != null)) return
  const text = 'Canary service and Stable service must to be set to use Traffic Routing'
  if (stable === '') to.invalid('spec.strategy.stableService', stable, text)
  if (fresh === '') to.invalid('spec.strategy.canaryService', fresh, text)
}

function checkPingPong(
  to: Causes,
  { pingService, pongService }: NonNullable<CanaryStrategy['pingPong']>,
  routing: CanaryStrategy['trafficRouting'],
): void {
  const [ping, pong] = [pingService ?? '', pongService ?? '']
  if (routing && !routing.alb && !routing.istio && !hasPlugins(routing)) {
    const text = 'Ping-pong feature works with the ALB, Istio, and plugin-based traffic routers only'
    to.invalid('spec.strategy.trafficRouting.alb', null, text)
  }
  const unset = 'Ping service and Pong service must to be set to use Ping-Pong feature'
  if (ping === '') to.invalid('spec.strategy.pingPong.pingService', ping, unset)
  if (pong === '') to.invalid('spec.strategy.pingPong.pongService', pong, unset)
  if (ping === pong) {
    const text =
      'This rollout uses the same service for the ping and pong services, but two different services are required.'
    to.invalid('spec.strategy.pingPong.pingService', ping, text)
  }
  if (routing?.alb && !(routing.alb as { rootService?: string }).rootService) {
    const text = 'Root service field is required for the configuration with ALB and ping-pong feature enabled'
    to.invalid('spec.strategy.trafficRouting.alb.rootService', '', text)
  }
}

/** Routers that split between two Services. */
function needsServices(routing: Routing, isPingPong: boolean): boolean {
  if (
    [routing.nginx, routing.smi, routing.apisix, routing.ambassador, routing.appMesh, routing.traefik].some(Boolean)
  ) {
    return true
  }
  if (isPingPong) return false
  return Boolean(routing.alb) || (routing.istio != null && routing.istio.destinationRule == null)
}

function checkRouting(to: Causes, canary: CanaryStrategy): void {
  const { trafficRouting: routing, scaleDownDelaySeconds: delay, dynamicStableScale: dynamic } = canary
  if (!routing && delay != null) {
    const text = 'Canary scaleDownDelaySeconds can only be used with traffic routing'
    to.invalid('spec.strategy.scaleDownDelaySeconds', delay, text)
  }
  if (dynamic && !routing) {
    const text = 'Canary dynamicStableScale can only be used with traffic routing'
    to.invalid('spec.strategy.dynamicStableScale', dynamic, text)
  }
  if (routing && dynamic && delay != null) {
    const text = 'Canary dynamicStableScale cannot be used with scaleDownDelaySeconds'
    to.invalid('spec.strategy.dynamicStableScale', dynamic, text)
  }
  if (routing?.maxTrafficWeight != null && !routing.nginx && !hasPlugins(routing)) {
    const text = 'Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins'
    to.invalid('spec.strategy.trafficRouting.maxTrafficWeight', routing.maxTrafficWeight, text)
  }
}
