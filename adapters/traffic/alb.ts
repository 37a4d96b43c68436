// AWS Load Balancer Controller: the split and the header routes stand in annotations of the user's own Ingress.
import * as z from 'zod'
import {
  type Action,
  type Desired,
  defineTrafficRouter,
  type EventNote,
  type Finding,
  type KubeObject,
  refOf,
  type Seen,
  TerminalError,
} from '#contract'
import {
  albRoutes,
  forgotten,
  inOrder,
  patchTo,
  readShown,
  rolloutsOf,
  routeNames,
  type Shown,
  type Style,
  stableOnly,
  type Whose,
  withoutRoute,
  withRoute,
  withWeights,
} from './_alb.ts'
import { questions, readAnswers } from './_alb-verify.ts'
import { ingressRef, pathsOf, readIngress, serviceOf } from './_ingress.ts'
import { targetGroups } from './_target-groups.ts'

const PREFIX = 'alb.ingress.kubernetes.io'
const WEEK = 604_800

const config = z.looseObject({
  ingress: z.string().optional().describe('Name of the Ingress that leads to the root Service.'),
  ingresses: z.array(z.string()).optional().describe('Names of several such Ingresses; wins over ingress.'),
  servicePort: z.int().describe('Port of the Services behind the load balancer.'),
  rootService: z.string().optional().describe('Service that the rules name; the stable Service when empty.'),
  annotationPrefix: z.string().optional().describe(`Prefix of the controller's annotations; ${PREFIX} when empty.`),
  stickinessConfig: z
    .looseObject({ enabled: z.boolean(), durationSeconds: z.int() })
    .optional()
    .describe('Keeps a client where it is for 1 to 604800 seconds, whatever the weight becomes.'),
})
type Config = z.infer<typeof config>

const namesOf = (c: Config): readonly string[] => c.ingresses ?? [c.ingress ?? '']
const asked = (c: Config) => ({
  ingresses: c.ingresses?.length ? c.ingresses : [c.ingress ?? ''],
  port: c.servicePort,
})
const serviceFor = (want: Desired, role: 'stable' | 'canary') =>
  want.dests.find(dest => dest.role === role)?.service ?? ''
const rootOf = (c: Config, want: Desired) => c.rootService || serviceFor(want, 'stable')
const leadsTo = (object: KubeObject, service: string) =>
  readIngress(object).rules.some(rule => pathsOf(rule).some(path => serviceOf(path) === service))

/** How this rollout writes; throws TerminalError when the stickiness is out of range. */
export function styleOf(c: Config, rollout: string): Style {
  const style = { rollout, prefix: c.annotationPrefix || PREFIX, port: c.servicePort }
  if (!c.stickinessConfig?.enabled) return style
  const seconds = c.stickinessConfig.durationSeconds
  if (seconds >= 1 && seconds <= WEEK) return { ...style, stickiness: seconds }
  const message = `TargetGroupStickinessConfig's duration must be between 1 and ${WEEK} seconds (7 days)!`
  throw new TerminalError('InvalidStickiness', message)
}

/** All that an Ingress should say. */
function wanted(c: Config, style: Style, want: Desired, before: Shown): Shown {
  const routes = want.headers.flatMap(albRoutes)
  const names = routes.map(route => route.name)
  const old = routeNames(before, style).filter(name => !names.includes(name))
  let shown = withWeights(before, style, rootOf(c, want), want.dests)
  for (const name of old) shown = withoutRoute(shown, style, name)
  for (const route of routes) shown = withRoute(shown, style, serviceFor(want, 'canary'), route)
  return names.length === 0 ? shown : inOrder(shown, names)
}

function noteOf(name: string, want: Desired, isOtherWeight: boolean): EventNote {
  const weight = want.dests.find(dest => dest.role === 'canary')?.weight ?? 0
  const routes = want.headers.map(route => route.name).join(', ')
  // argo: shows a memory address where the routes should be.
  const what = isOtherWeight
    ? `to desiredWeight '${weight}'`
    : routes === ''
      ? 'removing managed routes'
      : `to headerRoute '${routes}'`
  return { type: 'Normal', reason: 'PatchingALBIngress', message: `Updating Ingress \`${name}\` ${what}` }
}

/** The patch, refused by the server if what is shared with others has changed since it was read: the list of the
 * annotations of all rollouts, and the rules, which can only be written as a whole. */
function patch(live: KubeObject, before: Shown, after: Shown): Omit<Extract<Action, { verb: 'patch' }>, 'why'>[] {
  const change = patchTo(before, after)
  if (change === undefined) return []
  const { resourceVersion } = live.metadata
  const isShared = before.managed !== after.managed || before.rules !== after.rules
  const guard = isShared && resourceVersion !== undefined ? { resourceVersion } : {}
  return [{ verb: 'patch', ref: refOf(live), type: 'merge', patch: change, ...guard }]
}

function planOne(c: Config, want: Desired, seen: Seen, name: string): readonly Action[] {
  const live = seen(ingressRef(want.namespace, name))
  if (!live) throw new TerminalError('IngressNotFound', `ingress.networking.k8s.io "${name}" not found`)
  const root = rootOf(c, want)
  if (!leadsTo(live, root)) throw new TerminalError('NoRootRule', `ingress does not have service \`${root}\` in rules`)
  const style = styleOf(c, want.owner.name)
  const before = readShown(live)
  const after = wanted(c, style, want, before)
  const key = `${style.prefix}/actions.${root}`
  const isOther = (one: string) => before.annotations[one] !== after.annotations[one]
  const annotations = Object.keys({ ...before.annotations, ...after.annotations })
  const isRoute = before.rules !== after.rules || annotations.some(one => one !== key && isOther(one))
  const announce = noteOf(name, want, isOther(key) || !isRoute)
  const shares = want.dests.map(dest => `${dest.role} ${dest.weight}`).join(', ')
  return patch(live, before, after).map(action => ({ ...action, why: `ALB forwards ${shares}`, announce }))
}

/** One of the two ways to name Ingresses must be used, and only one. */
function formFindings(c: Config): readonly Finding[] | undefined {
  const [isOne, areSeveral] = [Boolean(c.ingress), (c.ingresses ?? []).length > 0]
  if (isOne !== areSeveral) return undefined
  const fault = isOne ? 'Both are configured.' : 'Neither are configured.'
  const message = `Internal error: Either Ingress or Ingresses must be configured. ${fault}`
  return [{ level: 'error', isMissing: true, path: 'alb', message }]
}

function findings(c: Config, want: Desired, seen: Seen, name: string): readonly Finding[] {
  const path = c.ingresses ? 'alb.ingresses' : 'alb.ingress'
  const invalid = (value: unknown, text: string) => `Invalid value: ${JSON.stringify(value)}: ${text}`
  const live = seen(ingressRef(want.namespace, name))
  if (!live) {
    // argo: of several, the value is the whole list.
    const message = invalid(c.ingresses ?? name, `ingress.networking.k8s.io "${name}" not found`)
    return [{ level: 'error', isMissing: true, path, message }]
  }
  const root = rootOf(c, want)
  if (leadsTo(live, root)) return []
  return [
    { level: 'error', path, message: invalid(name, `ingress \`${name}\` has no rules using service ${root} backend`) },
  ]
}

/** What is left of a rollout's routing: its actions forward to stable only, its header routes are away. */
function released(whose: Whose, before: Shown): Shown {
  let shown = before
  for (const name of routeNames(before, whose)) shown = withoutRoute(shown, whose, name)
  const kept = shown.managed[whose.rollout] ?? []
  const texts = kept.flatMap(key => {
    const text = shown.annotations[key]
    return text === undefined ? [] : [[key, stableOnly(text)] as const]
  })
  return forgotten({ ...shown, annotations: { ...shown.annotations, ...Object.fromEntries(texts) } }, whose)
}

export default defineTrafficRouter<Config>({
  name: 'alb',
  config,
  rbac: [
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['get', 'list', 'watch', 'patch'] },
    { apiGroups: ['elbv2.k8s.aws', 'eks.amazonaws.com'], resources: ['targetgroupbindings'], verbs: ['get', 'list'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list'] },
  ],
  // A rule forwards to at most five target groups, of weights up to 999 (AWS limits).
  caps: { header: ['exact'], mirror: false, maxExtras: 3, maxTotal: 999, blueGreen: false },

  reads: (c, owner) => namesOf(c).map(name => ingressRef(owner.namespace, name)),

  check: (c, want, seen) => formFindings(c) ?? namesOf(c).flatMap(name => findings(c, want, seen, name)),

  plan(c, want, seen) {
    const actions: Action[] = []
    for (const name of namesOf(c)) {
      try {
        actions.push(...planOne(c, want, seen, name))
      } catch (error) {
        // argo: what comes before a broken Ingress is written all the same.
        if (error instanceof TerminalError) throw new TerminalError(error.reason, error.message, actions)
        throw error
      }
    }
    return actions
  },

  inquiry: {
    asks: (c, want, seen) => questions(asked(c), want, seen),
    read: (c, want, seen, heard, before) => readAnswers(asked(c), want, seen, heard, before),
  },

  registry: targetGroups,

  speaksFor: live => (live.kind === 'Ingress' ? rolloutsOf(live) : []),

  // argo: leaves everything as it is.
  release(live, rollout) {
    const before = readShown(live)
    return patch(live, before, released({ rollout }, before)).map(action => ({ ...action, why: 'ALB routing ends' }))
  },
})
