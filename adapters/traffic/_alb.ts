// The texts by which an Ingress tells the AWS Load Balancer Controller how to forward, and the pure edits of them.
import { type Dest, type HeaderRoute, mergePatchTo, sameJson, TerminalError } from '#contract'
import { type Fields, type Ingress, pathsOf, readIngress, serviceOf, withPaths } from './_ingress.ts'

/** argo: JSON of the annotations that each rollout has made, {rollout: [keys]}. */
export const MANAGED = 'rollouts.argoproj.io/managed-alb-annotations'
/** The port name of a backend that is no Service but the name of an action. */
const USE_ANNOTATION = 'use-annotation'

/** What every text of one rollout has in common. */
export type Style = Readonly<{
  rollout: string
  /** Prefix of the controller's annotations. */
  prefix: string
  port: number
  /** Seconds for which a client stays where it is, 1 to 604800; undefined: no stickiness. */
  stickiness?: number
}>

/** Whose texts they are. */
export type Whose = Pick<Style, 'rollout'>

type Managed = Readonly<Record<string, readonly string[] | null>>

/** The part of an Ingress that is edited. */
export type Shown = Readonly<{
  annotations: Readonly<Record<string, string>>
  managed: Managed
  rules: readonly Fields[]
}>

/** JSON as the reference writes it, so that a take-over changes no byte. */
const jsonText = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

const isManaged = (value: unknown): value is Managed =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every(keys => keys === null || (Array.isArray(keys) && keys.every(k => typeof k === 'string')))

function readManaged({ name, annotations }: Ingress): Managed {
  const text = annotations[MANAGED]
  if (!text) return {}
  try {
    const value: unknown = JSON.parse(text)
    if (value === null) return {}
    if (isManaged(value)) return value
  } catch {
    // Told below.
  }
  const message = `annotation ${MANAGED} of ingress \`${name}\` is not of the form {"rollout":["key"]}: mend or remove it`
  throw new TerminalError('InvalidManagedAnnotations', message)
}

/** Reads what an Ingress says now; throws TerminalError when the list of our annotations cannot be read. */
export function readShown(object: Parameters<typeof readIngress>[0]): Shown {
  const ingress = readIngress(object)
  return { annotations: ingress.annotations, managed: readManaged(ingress), rules: ingress.rules }
}

/** The rollouts that have made annotations here; none when the list of them cannot be read. */
export function rolloutsOf(object: Parameters<typeof readIngress>[0]): readonly string[] {
  try {
    return Object.keys(readManaged(readIngress(object)))
  } catch (error) {
    if (error instanceof TerminalError) return []
    throw error
  }
}

const ours = (shown: Shown, { rollout }: Whose): readonly string[] => shown.managed[rollout] ?? []

/** Sets annotations of ours; the list names them in the order in which they came. */
function withTexts(shown: Shown, style: Style, texts: Readonly<Record<string, string>>): Shown {
  const keys = ours(shown, style)
  const added = Object.keys(texts).filter(key => !keys.includes(key))
  return {
    ...shown,
    annotations: { ...shown.annotations, ...texts },
    managed: added.length === 0 ? shown.managed : { ...shown.managed, [style.rollout]: [...keys, ...added] },
  }
}

type Group = Readonly<{ service: string; weight: number }>

function actionText({ port, stickiness }: Style, groups: readonly Group[]): string {
  const TargetGroups = groups.map(({ service, weight }) => ({
    ServiceName: service,
    ServicePort: String(port),
    Weight: weight,
  }))
  const sticky =
    stickiness === undefined ? {} : { TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: stickiness } }
  return jsonText({ Type: 'forward', ForwardConfig: { TargetGroups, ...sticky } })
}

/** The action of the root Service: who gets how much. argo: canary, experiments, stable, those without weight too. */
export function withWeights(shown: Shown, style: Style, root: string, dests: readonly Dest[]): Shown {
  const rank = { canary: 0, preview: 0, extra: 1, active: 2, stable: 2 }
  const groups = dests
    .toSorted((a, b) => rank[a.role] - rank[b.role])
    .map(({ service = '', weight }) => ({ service, weight }))
  return withTexts(shown, style, { [`${style.prefix}/actions.${root}`]: actionText(style, groups) })
}

/** One path to the canary: requests in which a header has one of the values. */
export type AlbRoute = Readonly<{ name: string; header: string; values: readonly string[] }>

/** The paths that it takes to mean "any of these": within one, different headers must all match, so each header has a
 * path of its own. argo: one path, that is "all of these". */
export function albRoutes({ name, anyOf }: HeaderRoute): readonly AlbRoute[] {
  const byHeader = Map.groupBy(anyOf, entry => entry.header)
  return [...byHeader].map(([header, entries], i) => ({
    name: i === 0 ? name : `${name}-${i + 1}`,
    header,
    values: entries.map(({ value }) => value.exact ?? ''),
  }))
}

const routePath = (name: string): Fields => ({
  path: '/*',
  pathType: 'ImplementationSpecific',
  backend: { service: { name, port: { name: USE_ANNOTATION } } },
})

function inRules(shown: Shown, edit: (paths: readonly Fields[]) => readonly Fields[]): Shown {
  const rules = shown.rules.map(rule => {
    const paths = pathsOf(rule)
    const edited = edit(paths)
    return sameJson(paths, edited) ? rule : withPaths(rule, edited)
  })
  return rules.every((rule, i) => rule === shown.rules[i]) ? shown : { ...shown, rules }
}

/** A header route: its action, its condition, and a path in front of each rule that has none yet. */
export function withRoute(shown: Shown, style: Style, canary: string, { name, header, values }: AlbRoute): Shown {
  const condition = { field: 'http-header', httpHeaderConfig: { httpHeaderName: header, values } }
  const told = withTexts(shown, style, {
    [`${style.prefix}/actions.${name}`]: actionText(style, [{ service: canary, weight: 100 }]),
    [`${style.prefix}/conditions.${name}`]: jsonText([condition]),
  })
  const path = routePath(name)
  return inRules(told, paths =>
    paths.length === 0 || paths.some(one => sameJson(one, path)) ? paths : [path, ...paths],
  )
}

const CONDITION = /^(.+)\/conditions\.(.+)$/

/** Names of the header routes that the rollout has made, under whatever prefix. */
export const routeNames = (shown: Shown, style: Whose): readonly string[] =>
  ours(shown, style).flatMap(key => CONDITION.exec(key)?.[2] ?? [])

/** Takes a header route of ours away, with all that was made for it; somebody else's paths to it stay. */
export function withoutRoute(shown: Shown, style: Whose, name: string): Shown {
  const isOfRoute = (key: string) => key.endsWith(`/actions.${name}`) || key.endsWith(`/conditions.${name}`)
  const keys = ours(shown, style)
  const gone = new Set(keys.filter(isOfRoute))
  if (gone.size === 0) return shown
  const annotations = Object.fromEntries(Object.entries(shown.annotations).filter(([key]) => !gone.has(key)))
  const managed = { ...shown.managed, [style.rollout]: keys.filter(key => !gone.has(key)) }
  const path = routePath(name)
  return inRules({ ...shown, annotations, managed }, paths => paths.filter(one => !sameJson(one, path)))
}

/** The paths of these routes come first, in this order: the order of paths is the order of precedence. */
export function inOrder(shown: Shown, names: readonly string[]): Shown {
  const rank = (path: Fields) => (names.includes(serviceOf(path)) ? names.indexOf(serviceOf(path)) : names.length)
  return inRules(shown, paths => paths.toSorted((a, b) => rank(a) - rank(b)))
}

/** Forgets the rollout: the list names it no more. */
export function forgotten(shown: Shown, { rollout }: Whose): Shown {
  const { [rollout]: _gone, ...managed } = shown.managed
  return { ...shown, managed }
}

/** The last target group of an action, which is stable's, gets everything. The text unchanged when it is no action. */
export function stableOnly(text: string): string {
  try {
    const action = JSON.parse(text) as { ForwardConfig: { TargetGroups: { Weight: number }[] } }
    const stable = action.ForwardConfig.TargetGroups.at(-1)
    if (!stable) return text
    const ForwardConfig = { ...action.ForwardConfig, TargetGroups: [{ ...stable, Weight: 100 }] }
    return jsonText({ ...action, ForwardConfig })
  } catch {
    return text
  }
}

const sortedText = (managed: Managed): string =>
  jsonText(Object.fromEntries(Object.entries(managed).toSorted(([a], [b]) => (a < b ? -1 : 1))))

/** The merge patch from one state to another; undefined: they say the same. */
export function patchTo(before: Shown, after: Shown): unknown {
  const names = Object.keys(after.managed).length > 0
  // argo: a list in other words than ours is written anew, when it names somebody.
  const list = names || before.annotations[MANAGED] ? { [MANAGED]: names ? sortedText(after.managed) : null } : {}
  const gone = Object.keys(before.annotations).filter(key => !(key in after.annotations))
  const annotations = { ...after.annotations, ...Object.fromEntries(gone.map(key => [key, null])), ...list }
  const spec = sameJson(before.rules, after.rules) ? {} : { spec: { rules: after.rules } }
  const target = Object.keys(annotations).length > 0 ? { metadata: { annotations } } : {}
  return mergePatchTo(
    { metadata: { annotations: before.annotations }, spec: { rules: before.rules } },
    { ...target, ...spec },
  )
}
