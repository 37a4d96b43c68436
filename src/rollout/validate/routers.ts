// The routers that a spec names: known, configured in their form, and with the objects that they need.
import type { Desired, Dest, HeaderRoute, MirrorRoute, StringMatch } from '../../contract.ts'
import { TRAFFIC } from '../keys.ts'
import type { Observed, Problem } from '../observe.ts'
import type { Known } from '../plan.ts'
import { stepsOf } from '../progress.ts'
import { ownerOf } from '../revision.ts'
import { annotatedRouter, configuredRouters } from '../routers.ts'
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
    ...everyRoute(seen),
    managed: managedNames(seen),
  }
}

/** The header and mirror routes of all steps, in force or not. */
function everyRoute(seen: Observed): Pick<Desired, 'headers' | 'mirrors'> {
  const headers = stepsOf(seen).flatMap(({ setHeaderRoute: route }): HeaderRoute[] => {
    const match = route?.match ?? []
    const anyOf = match.map(m => ({ header: m.headerName, value: (m.headerValue ?? {}) as StringMatch }))
    return route && match.length > 0 ? [{ name: route.name ?? '', anyOf }] : []
  })
  const mirrors = stepsOf(seen).flatMap(({ setMirrorRoute: route }): MirrorRoute[] =>
    route?.match?.length
      ? [{ name: route.name ?? '', percent: route.percentage ?? 100, anyOf: route.match as MirrorRoute['anyOf'] }]
      : [],
  )
  return { headers, mirrors }
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
  unfit.push(...annotatedFindings(seen, known))
  return { missing: missing[0], unfit }
}

/** What is wrong with the router that the annotation of a blue-green Rollout asks for. */
function annotatedFindings(seen: Observed, known: Known): readonly Problem[] {
  const { activeService = '', previewService = '' } = seen.spec.strategy?.blueGreen ?? {}
  const asked = annotatedRouter(seen.rollout, known)
  if (!asked?.router?.caps.blueGreen || !activeService) return []
  const { router, config } = asked
  const where = `metadata.annotations[${TRAFFIC}]`
  const parsed = router.config.safeParse(config)
  if (!parsed.success)
    return parsed.error.issues.slice(0, 1).map(({ path, message }) => ({
      message: `${[where, ...path].join('.')}: Invalid value: ${message}`,
    }))
  const dests: Dest[] = [
    { role: 'active', weight: 100, service: activeService },
    ...(previewService ? [{ role: 'preview' as const, weight: 0, service: previewService }] : []),
  ]
  const want: Desired = { ...atRest(seen), total: 100, dests, headers: [], mirrors: [] }
  return (router.check?.(parsed.data, want, seen.look) ?? [])
    .filter(({ level }) => level === 'error')
    .map(({ message }) => ({ message: `${where}: ${message}` }))
}
