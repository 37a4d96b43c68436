// Table of the annotations of ALB Ingresses. Weights go through the adapter's plan; the reference's other operations have
// no plan of their own here, since a plan brings everything about at once, so they go through the edits it is made of.
import {
  albRoutes,
  inOrder,
  MANAGED,
  patchTo,
  readShown,
  routeNames,
  type Shown,
  type Style,
  withoutRoute,
  withRoute,
} from '../../adapters/traffic/_alb.ts'
import { type Fields, pathsOf, readIngress, serviceOf } from '../../adapters/traffic/_ingress.ts'
import alb, { styleOf as checkedStyle } from '../../adapters/traffic/alb.ts'
import {
  type Action,
  type Desired,
  type HeaderRoute,
  type KubeObject,
  sameJson,
  TerminalError,
} from '../../src/contract.ts'
import { objectWorld, type World } from '../kit/object-world.ts'
import type { Row, Table } from '../kit/vector-table.ts'

type Extra = Readonly<{ serviceName: string; weight: number }>
type Match = Readonly<{ headerName: string; headerValue?: Readonly<{ exact?: string }> }>
type Op = Readonly<{
  op: string
  weight?: number
  additional?: readonly Extra[]
  setHeaderRoute?: Readonly<{ name: string; match?: readonly Match[] }>
}>
type Config = ReturnType<typeof alb.config.parse>
type Canary = Readonly<{
  stableService?: string
  canaryService?: string
  pingPong?: Readonly<{ pingService: string; pongService: string }>
  trafficRouting: Readonly<{
    alb: Config
    maxTrafficWeight?: number
    managedRoutes?: readonly Readonly<{ name: string }>[]
  }>
}>
type Vector = Readonly<{
  rollout: Readonly<{
    metadata: Readonly<{ name: string; namespace: string }>
    spec: Readonly<{ strategy: Readonly<{ canary: Canary }> }>
    status?: Readonly<{ canary?: Readonly<{ stablePingPong?: string }> }>
  }>
  ingresses: readonly KubeObject[]
  fail?: Readonly<Record<string, string>>
  ops: readonly Op[]
}>
type Write = Readonly<{ name: string; patch: unknown; annotations?: unknown; rules?: unknown }>
type Entry = { error?: string; writes: Write[]; events: (string | undefined)[] }
type Wanted = Readonly<{
  error?: string
  crash?: string
  writes?: readonly Write[]
  events?: readonly Readonly<{ reason: string; message: string }>[]
}>

const vectorOf = (row: Row) => row as unknown as Vector
const canaryOf = ({ rollout }: Vector) => rollout.spec.strategy.canary
const configOf = (vector: Vector) => alb.config.parse(canaryOf(vector).trafficRouting.alb)
const namesOf = (c: Config) => c.ingresses ?? [c.ingress ?? '']

export function servicesOf({ rollout }: Pick<Vector, 'rollout'>) {
  const { pingPong, stableService = '', canaryService = '' } = rollout.spec.strategy.canary
  if (!pingPong) return { stable: stableService, canary: canaryService }
  const { pingService: ping, pongService: pong } = pingPong
  const isPing = rollout.status?.canary?.stablePingPong === 'ping'
  return isPing ? { stable: ping, canary: pong } : { stable: pong, canary: ping }
}

function styleOf(vector: Vector): Style {
  const { annotationPrefix, servicePort, stickinessConfig: sticky } = configOf(vector)
  return {
    rollout: vector.rollout.metadata.name,
    prefix: annotationPrefix || 'alb.ingress.kubernetes.io',
    port: servicePort,
    ...(sticky?.enabled ? { stickiness: sticky.durationSeconds } : {}),
  }
}

/** The header routes that stand in the Ingresses already, in the order of managedRoutes. */
function routesIn(vector: Vector, world: World): readonly HeaderRoute[] {
  const style = styleOf(vector)
  const managed = (canaryOf(vector).trafficRouting.managedRoutes ?? []).map(route => route.name)
  const rank = ({ name }: HeaderRoute) => (managed.includes(name) ? managed.indexOf(name) : managed.length)
  return world
    .objects()
    .slice(0, 1)
    .filter(object => keysOf(vector, object.metadata.annotations).length > 0)
    .flatMap(object => {
      const shown = readShown(object)
      return routeNames(shown, style).map(name => {
        const text = shown.annotations[`${style.prefix}/conditions.${name}`] ?? '[]'
        const conditions = JSON.parse(text) as { httpHeaderConfig: { httpHeaderName: string; values: string[] } }[]
        const anyOf = conditions.flatMap(({ httpHeaderConfig: { httpHeaderName: header, values } }) =>
          values.map(exact => ({ header, value: { exact } })),
        )
        return { name, anyOf }
      })
    })
    .toSorted((a, b) => rank(a) - rank(b))
}

function desired(vector: Vector, world: World, { weight = 0, additional = [] }: Op): Desired {
  const { name, namespace } = vector.rollout.metadata
  const { stable, canary } = servicesOf(vector)
  const given = additional.reduce((sum, extra) => sum + extra.weight, weight)
  return {
    owner: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name, uid: 'u' },
    namespace,
    total: 100,
    totalIsExplicit: false,
    dests: [
      { role: 'canary', weight, service: canary },
      { role: 'stable', weight: 100 - given, service: stable },
      ...additional.map(extra => ({ role: 'extra' as const, weight: extra.weight, service: extra.serviceName })),
    ],
    headers: routesIn(vector, world),
    mirrors: [],
  }
}

type Patch = Readonly<{ ref: Readonly<{ name: string }>; patch: unknown; message: string | undefined }>

function perform(vector: Vector, world: World, patches: Iterable<Patch>, entry: Entry): void {
  for (const { ref, patch, message } of patches) {
    entry.events.push(message)
    const refused = vector.fail?.[`patch ${ref.name}`]
    if (refused !== undefined) {
      entry.writes.push({ name: ref.name, patch })
      entry.error = `error patching alb ingress \`${ref.name}\`: ${refused}`
      return
    }
    const live = world.objects().find(object => object.metadata.name === ref.name)!
    const after = world.apply({
      verb: 'patch',
      ref: { ...live, name: ref.name, namespace: live.metadata.namespace ?? '' },
      type: 'merge',
      patch,
      why: '',
    })!
    const rules = (after['spec'] as Readonly<{ rules: unknown }>).rules
    const isRules = (patch as Readonly<{ spec?: unknown }>).spec !== undefined
    entry.writes.push({ name: ref.name, annotations: after.metadata.annotations, ...(isRules ? { rules } : {}), patch })
  }
}

const patchesOf = (actions: readonly Action[]): readonly Patch[] =>
  actions.flatMap(action =>
    action.verb === 'patch'
      ? { ref: action.ref, patch: action.patch, message: [action.announce ?? []].flat()[0]?.message }
      : [],
  )

function planWeight(vector: Vector, world: World, op: Op): readonly Patch[] {
  return patchesOf(alb.plan(configOf(vector), desired(vector, world, op), world.seen))
}

/** One Ingress after the other: what comes before one that is missing is written. */
function* editRoutes(vector: Vector, world: World, op: Op): Generator<Patch> {
  const style = styleOf(vector)
  const managed = (canaryOf(vector).trafficRouting.managedRoutes ?? []).map(route => route.name)
  if (op.op === 'removeManagedRoutes' && managed.length === 0) return
  const edit = (shown: Shown): Shown => {
    const route = op.setHeaderRoute
    if (!route) return managed.reduce((now, name) => withoutRoute(now, style, name), shown)
    if (!route.match?.length) return inOrder(withoutRoute(shown, style, route.name), managed)
    const anyOf = route.match.map(match => ({ header: match.headerName, value: match.headerValue ?? {} }))
    const routes = albRoutes({ name: route.name, anyOf })
    const { canary } = servicesOf(vector)
    return inOrder(
      routes.reduce((now, one) => withRoute(now, style, canary, one), shown),
      managed,
    )
  }
  for (const name of namesOf(configOf(vector))) {
    const live = world.objects().find(object => object.metadata.name === name)
    if (!live) throw new TerminalError('IngressNotFound', `ingress.networking.k8s.io "${name}" not found`)
    if (op.setHeaderRoute?.match?.length) checkedStyle(configOf(vector), vector.rollout.metadata.name)
    const before = readShown(live)
    const patch = patchTo(before, edit(before))
    if (patch !== undefined) yield { ref: { name }, patch, message: undefined }
  }
}

function answerOp(vector: Vector, world: World, op: Op): Entry {
  const entry: Entry = { writes: [], events: [] }
  try {
    if (op.op === 'setWeight') perform(vector, world, planWeight(vector, world, op), entry)
    else if (['setHeaderRoute', 'removeManagedRoutes'].includes(op.op))
      perform(vector, world, editRoutes(vector, world, op), entry)
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    perform(vector, world, patchesOf(error.actions), entry)
    entry.error ??= error.message
  }
  return entry
}

/** The texts of events about header routes hold an address of the reference's memory: only that there is one counts. */
const wantedOp = (op: Op, { error, writes = [], events = [] }: Wanted): Entry => ({
  ...(error === undefined ? {} : { error }),
  writes: writes.map(({ name, patch, annotations, rules }) => ({
    name,
    ...(annotations ? { annotations } : {}),
    ...(rules ? { rules } : {}),
    patch,
  })),
  events: events.map(({ message }) => (op.op === 'setWeight' ? message : undefined)),
})

const wantsOf = (row: Row) => row.want as readonly Wanted[]
const headersOf = ({ setHeaderRoute }: Op) => new Set(setHeaderRoute?.match?.map(match => match.headerName))

/** The keys that an Ingress lists as the rollout's; none when the list cannot be read. */
function keysOf({ rollout }: Vector, annotations: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    const keys = JSON.parse(annotations[MANAGED] ?? '')?.[rollout.metadata.name]
    return Array.isArray(keys) ? (keys as readonly string[]) : []
  } catch {
    return []
  }
}
const listed = (vector: Vector) => vector.ingresses.map(({ metadata }) => keysOf(vector, metadata.annotations))

/** The names of the routes that an operation takes away, and of the one that it makes. */
function routesOf(
  vector: Vector,
  { op, setHeaderRoute: route }: Op,
): Readonly<Record<'gone' | 'made', readonly string[]>> {
  const managed = (canaryOf(vector).trafficRouting.managedRoutes ?? []).map(one => one.name)
  if (op === 'removeManagedRoutes') return { gone: managed, made: [] }
  if (op !== 'setHeaderRoute' || !route) return { gone: [], made: [] }
  return route.match?.length ? { gone: [], made: [route.name] } : { gone: [route.name], made: [] }
}
const isOf = (name: string, key: string) => key.endsWith(`/actions.${name}`) || key.endsWith(`/conditions.${name}`)

/** Is there a write of nothing but the list, though it named none of what was to go? */
function isListAlone(vector: Vector, wants: readonly Wanted[]): boolean {
  const keys = new Map(vector.ingresses.map((one, i) => [one.metadata.name, listed(vector)[i]!]))
  return wants.some(({ writes = [] }, i) =>
    writes.some(({ name, patch, annotations: after }) => {
      const { metadata, spec } = patch as Readonly<{ metadata?: KubeObject['metadata']; spec?: unknown }>
      const { gone } = routesOf(vector, vector.ops[i]!)
      const had = (keys.get(name) ?? []).some(key => gone.some(route => isOf(route, key)))
      keys.set(name, keysOf(vector, (after ?? {}) as Record<string, string>))
      return gone.length > 0 && !had && !spec && Object.keys(metadata?.annotations ?? {}).join() === MANAGED
    }),
  )
}

/** Does something bear the name of a route without being the controller's, or is the controller's only in some rules? */
function isForeign(vector: Vector): boolean {
  const { prefix } = styleOf(vector)
  const asMade = (name: string, one: Fields) =>
    sameJson(one, {
      path: '/*',
      pathType: 'ImplementationSpecific',
      backend: { service: { name, port: { name: 'use-annotation' } } },
    })
  return vector.ingresses.some((object, i) => {
    const keys = listed(vector)[i]!
    const rules = readIngress(object).rules.map(pathsOf)
    return vector.ops.some(op => {
      const { gone, made } = routesOf(vector, op)
      const mine = keys.flatMap(key => /\/conditions\.(.+)$/.exec(key)?.[1] ?? [])
      const hasLost = mine.some(name => rules.some(rule => !rule.some(path => asMade(name, path))))
      if (op.op === 'setWeight' && hasLost) return true
      return [...gone, ...made].some(name => {
        const paths = rules.map(rule => rule.filter(path => serviceOf(path) === name))
        const isTold = Object.keys(object.metadata.annotations ?? {}).some(
          key => key.startsWith(`${prefix}/`) && isOf(name, key),
        )
        const isUnlisted = !keys.some(key => isOf(name, key)) && (isTold || paths.some(some => some.length > 0))
        const isTwice = paths.some(some => some.length > 1)
        const isOther = paths.flat().some(path => !asMade(name, path))
        const isPartial = paths.some(some => some.length > 0) && paths.some(some => some.length === 0)
        return isTwice || isOther || (gone.includes(name) && isUnlisted) || (made.includes(name) && isPartial)
      })
    })
  })
}

/** Where we do otherwise, and why; the first that holds counts. */
const DIFFERENCES: readonly (readonly [(row: Row, vector: Vector) => boolean, string])[] = [
  [row => wantsOf(row).some(want => want.crash), 'a rule without paths is passed over, it stops nobody'],
  [
    row => wantsOf(row).some(({ error }) => /cannot unmarshal|invalid character|JSON input/.test(error ?? '')),
    'an annotation that cannot be read is named in words that say what to do',
  ],
  [
    (_, { ops }) => ops.some(op => headersOf(op).size > 1),
    'entries for different headers mean "any of these", as with the other routers; the reference asks for all of them',
  ],
  [
    (_, { ops }) => ops.some(({ setHeaderRoute: route }) => route?.match?.length === 0),
    'a route that matches nothing is no route',
  ],
  [
    (row, vector) =>
      vector.ingresses.length > 1 &&
      wantsOf(row).some(({ error, writes = [] }) => error === undefined && writes.length < vector.ingresses.length),
    'an Ingress that is in sync does not keep those after it from being written',
  ],
  [(row, vector) => isListAlone(vector, wantsOf(row)), 'where nothing is removed nothing is written'],
  [
    (_, vector) => {
      const { prefix } = styleOf(vector)
      return listed(vector)
        .flat()
        .some(key => key.includes('/conditions.') && !key.startsWith(`${prefix}/`))
    },
    'what was made under an older prefix goes with its route',
  ],
  [
    (_, vector) => listed(vector).some(keys => new Set(keys).size < keys.length),
    'a key that stands twice in the list is taken out as often',
  ],
  [
    (_, vector) => isForeign(vector),
    'only what the controller has made, as the list says, is a path of its route: it comes back and goes, the rest stays',
  ],
]

export const albTable: Table = {
  name: 'alb',
  elsewhere(row) {
    const canary = canaryOf(vectorOf(row))
    const isRefused = canary.pingPong && !canary.trafficRouting.alb.rootService
    return isRefused ? 'ping-pong without a root service is refused: validation' : undefined
  },
  want: row => wantsOf(row).map((want, i) => wantedOp(vectorOf(row).ops[i]!, want)),
  exceptions(row) {
    const reason = DIFFERENCES.find(([holds]) => holds(row, vectorOf(row)))?.[1]
    return reason === undefined ? undefined : { reason }
  },
  answer(row) {
    const vector = vectorOf(row)
    const world = objectWorld(vector.ingresses)
    return vector.ops.map(op => answerOp(vector, world, op))
  },
}
