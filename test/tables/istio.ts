// Table of VirtualServices and DestinationRules. A plan brings everything about at once; the reference's operations go
// through the edits that it is made of.
import {
  type Fields,
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
  Readonly<{ op: string; weight?: number; additional?: readonly Extra[]; canaryHash?: string; stableHash?: string }>
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
  const headers: HeaderRoute[] = header?.match
    ? [
        {
          name: header.name,
          anyOf: header.match.map(one => ({ header: one.headerName, value: one.headerValue ?? {} })),
        },
      ]
    : []
  const mirrors: MirrorRoute[] = mirror?.match
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
      if (!live) throw new TerminalError('NotFound', `virtualservices.networking.istio.io "${ref!.name}" not found`)
      const host = rule && String(specOf(rule)['host'])
      put(live, mergePatch(specOf(live), edited(op, specOf(live), selectionOf(entry, want), split, host)) as Fields)
    }
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    return { error: error.message, writes }
  }
  return { writes }
}

/** Writes that change nothing count as none. */
function wantedOps(row: Row): readonly Entry[] {
  const now = new Map(vectorOf(row).objects.map(one => [`${one.kind} ${one.metadata.name}`, one['spec']]))
  return wantsOf(row).map(({ error, writes = [] }) => {
    const changes = writes.flatMap(({ kind, name, object }) => {
      const key = `${kind} ${name}`
      if (!object || mergePatchTo(now.get(key), object['spec']) === undefined) return []
      now.set(key, object['spec'])
      const spec = specOf(object)
      return [{ name, spec: spec['http'] === null ? { ...spec, http: [] } : spec }]
    })
    return { ...(error === undefined ? {} : { error }), writes: changes }
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

/** Where we do otherwise, and why; the first that holds counts. */
const DIFFERENCES: readonly (readonly [Holds, string])[] = [
  [row => wantsOf(row).some(want => want.crash), 'what is not there is passed over, it stops nobody'],
  [
    row => wantsOf(row).some(({ error }) => error?.startsWith('delaying')),
    'a version without available pods gets no weight, so its subset may name it',
  ],
  [
    (_, vector) => hasOp(vector, 'updateHash') && vector.objects.some(hasForeignSubset(vector)),
    "subsets of other people stay: they may be somebody's route",
  ],
  [
    (_, vector) => hasOp(vector, 'setWeight') && namesNone(vector) && httpOf(vector).some(isMixed(vector)),
    'beside routes of the controller the one that is left carries the split',
  ],
  [
    (_, vector) =>
      hasOp(vector, 'setHeaderRoute', 'setMirrorRoute', 'removeManagedRoutes') &&
      httpOf(vector).some(routes => routes.filter(route => route['name'] === undefined).length > 1),
    'routes without a name are not multiplied',
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

const isMixed = (vector: Vector) => (routes: readonly Fields[]) =>
  routes.some(route => isManagedIn(vector, route)) &&
  (routes.some(route => isManagedIn(vector, route) && route['mirror'] !== undefined) ||
    routes.some(route => !isManagedIn(vector, route) && route['name'] !== undefined))

export const istioTable: Table = {
  name: 'istio',
  want: wantedOps,
  elsewhere(row) {
    const { ops, fail } = vectorOf(row)
    if (ops.some(({ op }) => op === 'syncDestinationRule')) return 'the end of a rollout: release, in the fixtures'
    return fail === undefined ? undefined : 'failing writes: the fault laws'
  },
  exceptions(row) {
    const reason = DIFFERENCES.find(([holds]) => holds(row, vectorOf(row)))?.[1]
    return reason === undefined ? undefined : { reason }
  },
  answer(row) {
    const vector = vectorOf(row)
    const objects = [...vector.objects]
    return vector.ops.map(op => answerOp(vector, objects, op))
  },
}
