// Istio: weights and routes in the user's own VirtualService; a DestinationRule tells the versions apart by label.
import * as z from 'zod'
import {
  type Action,
  type Desired,
  defineTrafficRouter,
  type Finding,
  type KubeObject,
  mergePatchTo,
  type Ref,
  refOf,
  type Seen,
  TerminalError,
} from '#contract'
import {
  type Fields,
  picked,
  SECTIONS,
  type Selection,
  type Split,
  sectionOf,
  withRoutes,
  withWeights,
} from './_istio-route.ts'
import { subsetsFor, unselected } from './_istio-subset.ts'

const API = 'networking.istio.io/v1alpha3'
const MANAGED_BY = 'argo-rollouts.argoproj.io/managed-by-rollouts'

const virtualService = z.looseObject({
  name: z.string().describe('NAME, or NAME.NAMESPACE.'),
  routes: z.array(z.string()).optional().describe('Names of the HTTP routes that carry the split; none: the only one.'),
  tlsRoutes: z.array(z.looseObject({ port: z.int().optional(), sniHosts: z.array(z.string()).optional() })).optional(),
  tcpRoutes: z.array(z.looseObject({ port: z.int().optional() })).optional(),
})
const config = z.looseObject({
  virtualService: virtualService.optional(),
  virtualServices: z.array(virtualService).optional(),
  destinationRule: z
    .looseObject({
      name: z.string(),
      canarySubsetName: z.string(),
      stableSubsetName: z.string(),
      additionalSubsetNames: z.array(z.string()).optional(),
    })
    .optional(),
})
type Config = z.infer<typeof config>
type Entry = z.infer<typeof virtualService>

const entriesOf = (c: Config): readonly Entry[] => c.virtualServices ?? (c.virtualService ? [c.virtualService] : [])

/** argo: the last label of the name is its namespace, a suffix .cluster.local aside. */
function serviceRef(namespace: string, name: string): Ref {
  const text = name.replace(/\.cluster\.local$/, '')
  const dot = text.lastIndexOf('.')
  const place = dot < 0 ? { namespace, name: text } : { namespace: text.slice(dot + 1), name: text.slice(0, dot) }
  return { apiVersion: API, kind: 'VirtualService', ...place }
}
const ruleRef = (namespace: string, name: string): Ref => ({
  apiVersion: API,
  kind: 'DestinationRule',
  namespace,
  name,
})

const specOf = (object: KubeObject): Fields => (object['spec'] ?? {}) as Fields
const subsetNames = (c: Config) =>
  c.destinationRule && { canary: c.destinationRule.canarySubsetName, stable: c.destinationRule.stableSubsetName }

/** What the adapter is told, in Istio's words. */
export function splitOf(c: Config, { dests }: Desired): Split {
  const of = (role: 'canary' | 'stable') => dests.find(dest => dest.role === role)
  const names = subsetNames(c)
  const additional = c.destinationRule?.additionalSubsetNames ?? []
  return {
    canary: of('canary')?.weight ?? 0,
    stable: of('stable')?.weight ?? 0,
    canaryHost: of('canary')?.service ?? '',
    stableHost: of('stable')?.service ?? '',
    ...(names ? { subsets: { ...names, additional } } : {}),
    extras: new Map(dests.flatMap(({ role, service = '', weight }) => (role === 'extra' ? [[service, weight]] : []))),
  }
}

/** The routes that an entry of the configuration means. */
export const selectionOf = ({ routes = [], tlsRoutes = [], tcpRoutes = [] }: Entry, want: Desired): Selection => ({
  routes,
  tlsRoutes: tlsRoutes as Selection['tlsRoutes'],
  tcpRoutes: tcpRoutes as Selection['tcpRoutes'],
  managed: want.managed ?? [...want.headers, ...want.mirrors].map(route => route.name),
})

/** The patch of whole lists, refused by the server when the object has changed since it was read. */
function patch(live: KubeObject, target: Fields, why: string, message: string, reason: string): readonly Action[] {
  const change = mergePatchTo(live, target)
  if (change === undefined) return []
  const { resourceVersion } = live.metadata
  const guard = resourceVersion === undefined ? {} : { resourceVersion }
  const announce = { type: 'Normal', reason, message } as const
  return [{ verb: 'patch', ref: refOf(live), type: 'merge', patch: change, ...guard, why, announce }]
}

function missing(ref: Ref): TerminalError {
  const plural = `${ref.kind.toLowerCase()}s.networking.istio.io`
  return new TerminalError(`${ref.kind}NotFound`, `${plural} "${ref.name}" not found`)
}

function planService(c: Config, want: Desired, seen: Seen, entry: Entry): readonly Action[] {
  const ref = serviceRef(want.namespace, entry.name)
  const live = seen(ref)
  if (!live) throw missing(ref)
  const [split, selection, before] = [splitOf(c, want), selectionOf(entry, want), specOf(live)]
  const weighed = withWeights(before, selection, split)
  const rule = c.destinationRule && seen(ruleRef(want.namespace, c.destinationRule.name))
  const host = rule && String(specOf(rule)['host'] ?? '')
  const after = withRoutes(weighed, selection, split, host, want)
  const target = Object.fromEntries(SECTIONS.flatMap(one => (after[one] === undefined ? [] : [[one, after[one]]])))
  const isWeight = mergePatchTo(before, weighed) !== undefined
  const routes = [...want.headers, ...want.mirrors].map(route => route.name)
  const what = isWeight
    ? `set to desiredWeight '${split.canary}'`
    : routes.length > 0
      ? `set routes '${routes.join(', ')}'`
      : 'removed all managed routes.'
  const shares = want.dests.map(dest => `${dest.role} ${dest.weight}`).join(', ')
  const message = `VirtualService \`${ref.name}\` ${what}`
  return patch(live, { spec: target }, `Istio sends ${shares}`, message, 'Updated VirtualService')
}

function planRule(c: Config, want: Desired, seen: Seen): readonly Action[] {
  const names = subsetNames(c)
  if (!c.destinationRule || !names) return []
  const ref = ruleRef(want.namespace, c.destinationRule.name)
  const live = seen(ref)
  if (!live) throw missing(ref)
  const hash = (role: string) => want.dests.find(dest => dest.role === role)?.hash ?? ''
  const text = `canary: ${hash('canary')}, stable: ${hash('stable')}`
  const target = {
    metadata: { annotations: { [MANAGED_BY]: want.owner.name } },
    spec: { subsets: subsetsFor(specOf(live), names, want.dests) },
  }
  const message = `DestinationRule ${ref.name} subset updated (${text})`
  return patch(live, target, `subsets select ${text}`, message, 'UpdatedDestinationRule')
}

/** A canary that gets nothing may have no pod yet: then its traffic goes first and its subset moves after that. When both
 * sides are one version, or the canary gets its share, the subset must be right before traffic comes. */
function isRoutedFirst({ dests }: Desired): boolean {
  const of = (role: string) => dests.find(dest => dest.role === role)
  return of('canary')?.weight === 0 && of('canary')?.hash !== of('stable')?.hash
}

const invalid = (value: string, text: string) => `Invalid value: ${JSON.stringify(value)}: ${text}`

function serviceFindings(c: Config, want: Desired, seen: Seen, entry: Entry): readonly Finding[] {
  const path = c.virtualServices ? 'istio.virtualServices.name' : 'istio.virtualService.name'
  const ref = serviceRef(want.namespace, entry.name)
  const live = seen(ref)
  if (!live) {
    const message = invalid(ref.name, `virtualservices.networking.istio.io "${ref.name}" not found`)
    return [{ level: 'error', isMissing: true, path, message }]
  }
  const error = (text: string): Finding => ({ level: 'error', path, message: invalid(ref.name, text) })
  const spec = specOf(live)
  const present = SECTIONS.filter(section => Array.isArray(spec[section]))
  if (present.length === 0)
    return [error('Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService')]
  const [split, selection] = [splitOf(c, want), selectionOf(entry, want)]
  return present.flatMap(section => {
    const [routes, name] = [sectionOf(spec, section), section.toUpperCase()]
    if (!routes) return [error(`Unable to get ${name} routes for Istio VirtualService`)]
    try {
      picked(section, routes, selection, split)
      return []
    } catch (fault) {
      if (!(fault instanceof TerminalError)) throw fault
      return [error(`Istio VirtualService has invalid ${name} routes. Error: ${fault.message}`)]
    }
  })
}

function findings(c: Config, want: Desired, seen: Seen): readonly Finding[] {
  const [isOne, areSeveral] = [c.virtualService !== undefined, (c.virtualServices ?? []).length > 0]
  if (isOne === areSeveral) {
    const message = 'Internal error: either VirtualService or VirtualServices must be configured'
    return [{ level: 'error', isMissing: true, path: 'istio', message }]
  }
  const entries = entriesOf(c)
  const nameOf = ({ name }: Entry) => serviceRef(want.namespace, name).name
  // argo: of several entries for one name, whatever its namespace, the first says which routes are meant.
  return entries.flatMap(entry => {
    const { name } = entry
    return serviceFindings(c, want, seen, { ...entries.find(one => nameOf(one) === nameOf(entry)), name })
  })
}

export default defineTrafficRouter<Config>({
  name: 'istio',
  config,
  rbac: [
    {
      apiGroups: ['networking.istio.io'],
      resources: ['virtualservices', 'destinationrules'],
      verbs: ['get', 'list', 'watch', 'patch'],
    },
  ],
  caps: { header: ['exact', 'prefix', 'regex'], mirror: 'percent', maxExtras: 100, maxTotal: 100, blueGreen: false },

  reads: (c, owner) => [
    ...entriesOf(c).map(entry => serviceRef(owner.namespace, entry.name)),
    ...(c.destinationRule ? [ruleRef(owner.namespace, c.destinationRule.name)] : []),
  ],

  check: findings,

  plan(c, want, seen) {
    const rule = planRule(c, want, seen)
    const services = entriesOf(c).flatMap(entry => planService(c, want, seen, entry))
    return isRoutedFirst(want) ? [...services, ...rule] : [...rule, ...services]
  },

  // A VirtualService bears no mark: its weights stay, between hosts or subsets that select all versions by then.
  speaksFor(live) {
    const by = live.kind === 'DestinationRule' ? live.metadata.annotations?.[MANAGED_BY] : undefined
    return by ? [by] : []
  },

  release(live) {
    const target = {
      metadata: { annotations: { [MANAGED_BY]: null } },
      spec: { subsets: unselected(specOf(live)) },
    }
    const message = `DestinationRule ${live.metadata.name} subsets select all versions again`
    return patch(live, target, 'Istio routing ends', message, 'UpdatedDestinationRule')
  },
})
