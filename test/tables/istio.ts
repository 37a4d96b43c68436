// Table of VirtualServices and DestinationRules. A plan brings everything about at once; the reference's operations go
// through the edits that it is made of.
import {
  type Fields,
  pickHttp,
  type Selection,
  type Split,
  sectionOf,
  withRoutes,
  withWeights,
} from '../../adapters/traffic/_istio-route.ts'
import { subsetsFor } from '../../adapters/traffic/_istio-subset.ts'
import istio, { selectionOf, splitOf } from '../../adapters/traffic/istio.ts'
import {
  type Desired,
  type HeaderRoute,
  type KubeObject,
  type MirrorRoute,
  mergePatchTo,
  TerminalError,
} from '../../src/contract.ts'
import { mergePatch } from '../kit/object-world.ts'
import type { Row, Table } from '../kit/vector-table.ts'

type Extra = Readonly<{ serviceName: string; weight: number; podTemplateHash?: string }>
type Step = Readonly<{
  setHeaderRoute?: Readonly<{ name: string; match?: readonly Readonly<{ headerName: string; headerValue?: object }>[] }>
  setMirrorRoute?: Readonly<{ name: string; percentage?: number; match?: MirrorRoute['anyOf'] }>
}>
type Op = Step &
  Readonly<{
    op: string
    weight?: number
    additional?: readonly Extra[]
    canaryHash?: string
    stableHash?: string
    key?: string
  }>
type Config = ReturnType<typeof istio.config.parse>
type Canary = Readonly<{
  stableService?: string
  canaryService?: string
  steps?: readonly Step[]
  pingPong?: Readonly<{ pingService: string; pongService: string }>
  trafficRouting: Readonly<{ istio: Config; managedRoutes?: readonly Readonly<{ name: string }>[] }>
}>
type Vector = Readonly<{
  rollout: Readonly<{
    metadata: Readonly<{ name: string; namespace: string }>
    spec: Readonly<{ strategy: Readonly<{ canary: Canary }> }>
    status?: Readonly<{ canary?: Readonly<{ stablePingPong?: string }> }>
  }>
  objects: readonly KubeObject[]
  rollouts?: readonly Readonly<{
    metadata: Readonly<{ name: string }>
    spec: Readonly<{ strategy: Readonly<{ canary?: Readonly<{ trafficRouting?: Readonly<{ istio?: Config }> }> }> }>
  }>[]
  fail?: unknown
  ops: readonly Op[]
}>
type Write = Readonly<{ kind: string; name: string; object?: KubeObject; unchanged?: boolean }>
type Wanted = Readonly<{ error?: string; crash?: string; writes?: readonly Write[] }>
type Entry = Readonly<{ error?: string; writes: readonly Readonly<{ name: string; spec: unknown }>[] }>

const vectorOf = (row: Row) => row as unknown as Vector
const wantsOf = (row: Row) => row.want as readonly Wanted[]
const canaryOf = ({ rollout }: Vector) => rollout.spec.strategy.canary
const entriesOf = (c: Config) => c.virtualServices ?? (c.virtualService ? [c.virtualService] : [])
const specOf = (object: KubeObject) => object['spec'] as Fields

function servicesOf(vector: Vector) {
  const { pingPong, stableService = '', canaryService = '' } = canaryOf(vector)
  if (!pingPong || stableService || canaryService) return { stable: stableService, canary: canaryService }
  const { pingService: ping, pongService: pong } = pingPong
  const isPing = vector.rollout.status?.canary?.stablePingPong === 'ping'
  return isPing ? { stable: ping, canary: pong } : { stable: pong, canary: ping }
}

function desired(vector: Vector, op: Op): Desired {
  const { name, namespace } = vector.rollout.metadata
  const { stable, canary } = servicesOf(vector)
  const { weight = 0, additional = [], canaryHash = '', stableHash = '' } = op
  const { steps = [], trafficRouting } = canaryOf(vector)
  const given = additional.reduce((sum, extra) => sum + extra.weight, weight)
  const listed = (trafficRouting.managedRoutes ?? []).map(route => route.name)
  const stepped = steps.flatMap(step => step.setHeaderRoute?.name ?? step.setMirrorRoute?.name ?? [])
  return {
    owner: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name, uid: 'u' },
    namespace,
    total: 100,
    totalIsExplicit: false,
    dests: [
      { role: 'canary', weight, service: canary, hash: canaryHash },
      { role: 'stable', weight: 100 - given, service: stable, hash: stableHash },
      ...additional.map(one => ({
        role: 'extra' as const,
        weight: one.weight,
        service: one.serviceName,
        hash: one.podTemplateHash ?? '',
      })),
    ],
    headers: [],
    mirrors: [],
    managed: [...new Set([...listed, ...stepped])],
  }
}

/** A step as the routes that it makes; one without matches makes none. */
function routesOf({ setHeaderRoute: header, setMirrorRoute: mirror }: Op) {
  const headers: HeaderRoute[] = header?.match?.length
    ? [
        {
          name: header.name,
          anyOf: header.match.map(one => ({ header: one.headerName, value: one.headerValue ?? {} })),
        },
      ]
    : []
  const mirrors: MirrorRoute[] = mirror?.match?.length
    ? [{ name: mirror.name, percent: mirror.percentage ?? 100, anyOf: mirror.match }]
    : []
  return { headers, mirrors }
}

/** The operation on the spec of a VirtualService. Routes of other steps stay, so only the one in question counts as ours;
 * the order of all is that of managedRoutes. */
function edited(op: Op, spec: Fields, selection: Selection, split: Split, ruleHost: string | undefined): Fields {
  const rank = (route: Fields) => {
    const at = selection.managed.indexOf(String(route['name']))
    return at < 0 ? selection.managed.length : at
  }
  const inOrder = (http: readonly Fields[]) => http.toSorted((a, b) => rank(a) - rank(b))
  if (op.op === 'setWeight') {
    const weighed = withWeights(spec, selection, split)
    const http = sectionOf(weighed, 'http')
    return mergePatchTo(spec, weighed) === undefined || !http ? weighed : { ...weighed, http: inOrder(http) }
  }
  if (op.op === 'removeManagedRoutes') return withRoutes(spec, selection, split, ruleHost, { headers: [], mirrors: [] })
  const name = op.setHeaderRoute?.name ?? op.setMirrorRoute?.name ?? ''
  // A plan weighs first, and so finds that a route is missing.
  if (routesOf(op).mirrors.length > 0) pickHttp(sectionOf(spec, 'http') ?? [], selection)
  const others = sectionOf(spec, 'http')?.filter(
    route => route['name'] !== name && selection.managed.includes(String(route['name'])),
  )
  const made = withRoutes(spec, selection, split, ruleHost, routesOf(op))
  const http = inOrder([...(others ?? []), ...(sectionOf(made, 'http') ?? [])])
  return sectionOf(spec, 'http') ? { ...made, http } : spec
}

function answerOp(vector: Vector, objects: KubeObject[], op: Op): Entry {
  const config = istio.config.parse(canaryOf(vector).trafficRouting.istio)
  const want = desired(vector, op)
  const split = splitOf(config, want)
  const rule = objects.find(one => one.kind === 'DestinationRule' && one.metadata.name === config.destinationRule?.name)
  const writes: { name: string; spec: unknown }[] = []
  const put = (live: KubeObject, spec: Fields) => {
    if (mergePatchTo(specOf(live), spec) === undefined) return
    objects[objects.indexOf(live)] = { ...live, spec }
    writes.push({ name: live.metadata.name, spec })
  }
  try {
    const isRuleRead = op.op === 'updateHash' || routesOf(op).headers.length > 0 || routesOf(op).mirrors.length > 0
    if (isRuleRead && config.destinationRule && !rule)
      throw new TerminalError(
        'NotFound',
        `destinationrules.networking.istio.io "${config.destinationRule.name}" not found`,
      )
    if (op.op === 'updateHash' && config.destinationRule && rule) {
      const { canarySubsetName: canary, stableSubsetName: stable } = config.destinationRule
      put(rule, { ...specOf(rule), subsets: subsetsFor(specOf(rule), { canary, stable }, want.dests) })
    }
    if (!['setWeight', 'setHeaderRoute', 'setMirrorRoute', 'removeManagedRoutes'].includes(op.op)) return { writes }
    for (const entry of entriesOf(config)) {
      const [ref] = istio.reads({ virtualService: entry }, { namespace: want.namespace, name: 'r' })
      const live = objects.find(
        ({ kind, metadata }) =>
          kind === 'VirtualService' && metadata.name === ref!.name && metadata.namespace === ref!.namespace,
      )
      if (!live && op.op === 'removeManagedRoutes') continue
      if (!live) throw new TerminalError('NotFound', `virtualservices.networking.istio.io "${ref!.name}" not found`)
      const host = rule && String(specOf(rule)['host'] ?? '')
      put(live, mergePatch(specOf(live), edited(op, specOf(live), selectionOf(entry, want), split, host)) as Fields)
    }
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    return { error: error.message, writes }
  }
  return { writes }
}

/** What the reference was doing, in front of what went wrong. */
const DOING = /^(\[\w+\] [^:]*: )+/

/** Writes that change nothing count as none. */
function wantedOps(row: Row): readonly Entry[] {
  const now = new Map(vectorOf(row).objects.map(one => [`${one.kind} ${one.metadata.name}`, one['spec']]))
  return wantsOf(row).map(({ error, writes = [] }) => {
    const changes = writes.flatMap(({ kind, name, object }) => {
      const key = `${kind} ${name}`
      const told = object && specOf(object)
      const spec = told?.['http'] === null ? { ...told, http: [] } : told
      if (mergePatchTo(now.get(key), spec) === undefined) return []
      now.set(key, spec)
      return [{ name, spec }]
    })
    return { ...(error === undefined ? {} : { error: error.replace(DOING, '') }), writes: changes }
  })
}

type Holds = (row: Row, vector: Vector) => boolean
const httpOf = ({ objects }: Vector) =>
  objects.filter(one => one.kind === 'VirtualService').map(one => sectionOf(specOf(one), 'http') ?? [])
const managedOf = (vector: Vector) => desired(vector, { op: '' }).managed ?? []
const isManagedIn = (vector: Vector, route: Fields) => managedOf(vector).includes(String(route['name']))
const hasOp = (vector: Vector, ...names: readonly string[]) => vector.ops.some(({ op }) => names.includes(op))
const namesNone = (vector: Vector) =>
  entriesOf(istio.config.parse(canaryOf(vector).trafficRouting.istio)).some(({ routes = [] }) => routes.length === 0)

/** Validation refuses steps for routes that are not listed. */
const isUnmanaged =
  (vector: Vector) =>
  ({ setHeaderRoute, setMirrorRoute }: Op): boolean => {
    const name = setHeaderRoute?.name ?? setMirrorRoute?.name
    const listed = (canaryOf(vector).trafficRouting.managedRoutes ?? []).map(route => route.name)
    return name !== undefined && !listed.includes(name)
  }

/** Where we do otherwise, and why; the first that holds counts. */
const DIFFERENCES: readonly (readonly [Holds, string])[] = [
  [row => wantsOf(row).some(want => want.crash), 'what is not there is passed over, it stops nobody'],
  [
    (_, { ops }) =>
      ops.some(({ setHeaderRoute, setMirrorRoute }) => (setHeaderRoute ?? setMirrorRoute)?.match?.length === 0),
    'a route that matches nothing in particular is no route; the reference sends all requests there',
  ],
  [
    row => wantsOf(row).some(({ error }) => error?.startsWith('delaying')),
    'a version without available pods gets no weight, so its subset may name it',
  ],
  [
    (_, vector) => hasOp(vector, 'updateHash') && vector.objects.some(hasForeignSubset(vector)),
    "subsets of other people stay: they may be somebody's route",
  ],
  [
    (_, vector) =>
      hasOp(vector, 'setWeight', 'setHeaderRoute', 'setMirrorRoute') &&
      namesNone(vector) &&
      httpOf(vector).some(routes => isMixed(vector)(routes) || willBeMixed(vector)(routes)),
    'beside routes of the controller the one that is left carries the split',
  ],
  [
    (_, vector) =>
      hasOp(vector, 'setWeight') &&
      namesNone(vector) &&
      httpOf(vector).some(routes => routes.length > 0 && routes.every(route => isManagedIn(vector, route))),
    'a route that the controller may take away is not the one to weigh',
  ],
  [
    (_, { ops, objects }) =>
      ops.some(({ op, additional = [] }) =>
        additional.some(
          ({ serviceName, podTemplateHash }) =>
            op === 'updateHash' && !podTemplateHash && objects.some(hasSubset(serviceName)),
        ),
      ),
    'the subset of an experiment without a hash stands there once',
  ],
  [
    (_, vector) =>
      canaryOf(vector).trafficRouting.managedRoutes !== undefined &&
      httpOf(vector).some(routes => new Set(routes.map(route => route['name'])).size < routes.length),
    'routes without a name, or of one name, are not multiplied',
  ],
  [
    row =>
      wantsOf(row).some(
        ({ error }) => error?.includes('spec.http not found') || error?.includes('.spec.http accessor'),
      ),
    'without HTTP routes there is none to take away, and none to put',
  ],
  [
    (_, vector) =>
      hasOp(vector, 'removeManagedRoutes') &&
      vector.objects.filter(({ kind }) => kind === 'VirtualService').length > 1 &&
      vector.objects.some(one => one.kind === 'VirtualService' && specOf(one)['http'] === undefined),
    'a VirtualService without HTTP routes does not keep routes in those after it',
  ],
  [
    (_, vector) =>
      hasOp(vector, 'setHeaderRoute', 'setMirrorRoute') && JSON.stringify(vector.objects).includes('"weight":"'),
    'a weight that is no number does not hide the port',
  ],
]

function hasForeignSubset(vector: Vector) {
  const { destinationRule } = istio.config.parse(canaryOf(vector).trafficRouting.istio)
  const known = new Set([destinationRule?.canarySubsetName, destinationRule?.stableSubsetName])
  return ({ kind, ...object }: KubeObject): boolean =>
    kind === 'DestinationRule' &&
    ((object['spec'] as Fields)['subsets'] as readonly { name?: string }[] | undefined)?.some(
      ({ name }) => !known.has(name),
    ) === true
}

const hasSubset =
  (wanted: string) =>
  ({ kind, ...object }: KubeObject): boolean =>
    kind === 'DestinationRule' &&
    ((object['spec'] as Fields)['subsets'] as readonly { name?: string }[] | undefined)?.some(
      ({ name }) => name === wanted,
    ) === true

const isMixed = (vector: Vector) => (routes: readonly Fields[]) =>
  routes.some(route => isManagedIn(vector, route)) &&
  (routes.some(route => isManagedIn(vector, route) && route['mirror'] !== undefined) ||
    routes.some(route => !isManagedIn(vector, route) && route['name'] !== undefined))

/** Weights that come after a step which puts a route beside the user's own. */
const willBeMixed =
  (vector: Vector) =>
  (routes: readonly Fields[]): boolean => {
    const ops = vector.ops.map(op => routesOf(op))
    const first = ops.findIndex(made => made.headers.length + made.mirrors.length > 0)
    const isNamed = routes.some(route => !isManagedIn(vector, route) && route['name'] !== undefined)
    return first >= 0 && first < ops.length - 1 && (isNamed || ops.some(made => made.mirrors.length > 0))
  }

const isWatched = ({ ops }: Vector): boolean => ops.some(({ op }) => op === 'syncDestinationRule')

/** The watcher of DestinationRules: one that no Rollout names any more is released. */
function released({ objects, rollouts = [] }: Vector, { key = '' }: Op): Entry {
  const rule = objects.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key)
  const [by] = rule ? istio.speaksFor(rule) : []
  if (!rule || by === undefined) return { writes: [] }
  const config = rollouts.find(({ metadata }) => metadata.name === by)?.spec.strategy.canary?.trafficRouting?.istio
  if (config?.destinationRule?.name === rule.metadata.name) return { writes: [] }
  const patches = istio.release(rule, by).flatMap(action => (action.verb === 'patch' ? [action.patch] : []))
  const specs = patches.map(patch => specOf(mergePatch(rule, patch) as KubeObject))
  const changed = specs.filter(spec => mergePatchTo(specOf(rule), spec) !== undefined)
  return { writes: changed.map(spec => ({ name: rule.metadata.name, spec })) }
}

export const istioTable: Table = {
  name: 'istio',
  want: wantedOps,
  elsewhere(row) {
    const { ops, fail } = vectorOf(row)
    if (wantsOf(row).some(({ error }) => error?.startsWith('json:'))) return 'refused by the CRD of Istio: never there'
    if (!isWatched(vectorOf(row)) && ops.some(isUnmanaged(vectorOf(row))))
      return 'a route that managedRoutes does not name is refused: validation'
    return fail === undefined ? undefined : 'failing writes: the fault laws'
  },
  exceptions(row) {
    if (isWatched(vectorOf(row))) return undefined
    const reason = DIFFERENCES.find(([holds]) => holds(row, vectorOf(row)))?.[1]
    return reason === undefined ? undefined : { reason }
  },
  answer(row) {
    const vector = vectorOf(row)
    if (isWatched(vector)) return vector.ops.map(op => released(vector, op))
    const objects = [...vector.objects]
    return vector.ops.map(op => answerOp(vector, objects, op))
  },
}
