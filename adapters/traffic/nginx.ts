// ingress-nginx: a second Ingress beside the stable one carries the canary weight in its annotations.
import * as z from 'zod'
import {
  type Action,
  controllingRollout,
  type Desired,
  defineTrafficRouter,
  type Finding,
  type KubeObject,
  mergePatchTo,
  refOf,
  type Seen,
  TerminalError,
} from '#contract'
import {
  canaryName,
  type Ingress,
  ingressRef,
  isControlledBy,
  pathsOf,
  readIngress,
  redirected,
  serviceOf,
} from './_ingress.ts'

const CLASS = 'kubernetes.io/ingress.class'
const PREFIX = 'nginx.ingress.kubernetes.io'

const annotations = z.record(z.string(), z.string())
const config = z.looseObject({
  annotationPrefix: z.string().optional().describe(`Prefix of the controller's annotations; ${PREFIX} when empty.`),
  stableIngress: z.string().optional().describe('Name of the Ingress that leads to the stable Service.'),
  stableIngresses: z.array(z.string()).optional().describe('Names of several such Ingresses; wins over stableIngress.'),
  additionalIngressAnnotations: annotations
    .optional()
    .describe('Annotations of the canary Ingress; the prefix is added to their keys.'),
  canaryIngressAnnotations: annotations.optional().describe('Annotations of the canary Ingress, keys as they are.'),
})
type Config = z.infer<typeof config>

/** Each name once: what is written for the first is not yet seen when the second comes. */
const namesOf = (c: Config): readonly string[] => [...new Set(c.stableIngresses ?? [c.stableIngress ?? ''])]
const prefixOf = (c: Config): string => c.annotationPrefix || PREFIX
const destOf = (want: Desired, role: 'stable' | 'canary') => want.dests.find(dest => dest.role === role)

/** Later entries win, so nobody overrides canary and weight by accident. */
function annotationsFor(c: Config, want: Desired, stable: Ingress): Readonly<Record<string, string>> {
  const prefix = prefixOf(c)
  const result: Record<string, string> = {}
  const ingressClass = stable.annotations[CLASS]
  if (ingressClass !== undefined) result[CLASS] = ingressClass
  for (const [key, value] of Object.entries(c.additionalIngressAnnotations ?? {})) {
    result[key.startsWith(prefix) ? key : `${prefix}/${key}`] = value
  }
  Object.assign(result, c.canaryIngressAnnotations)
  result[`${prefix}/canary`] = 'true'
  result[`${prefix}/canary-weight`] = String(destOf(want, 'canary')?.weight ?? 0)
  if (want.totalIsExplicit) result[`${prefix}/canary-weight-total`] = String(want.total)
  return result
}

function specFor(c: Config, want: Desired, stable: Ingress) {
  const from = destOf(want, 'stable')?.service ?? ''
  const rules = redirected(stable.rules, from, destOf(want, 'canary')?.service ?? '')
  if (rules.length === 0) {
    // argo: names stableIngress, also where stableIngresses is used.
    const message = `ingress \`${c.stableIngress ?? ''}\` has no rules using service ${from} backend`
    throw new TerminalError('NoStableRule', message)
  }
  const { tls, ingressClassName } = stable.spec
  return {
    ...(Array.isArray(tls) && tls.length > 0 ? { tls } : {}),
    ...(ingressClassName === undefined || ingressClassName === null ? {} : { ingressClassName }),
    rules,
  }
}

/** What must be absent: labels, and members of the spec that the stable Ingress gives no cause for. */
function absent(live: KubeObject, spec: Readonly<Record<string, unknown>>) {
  const { labels, spec: now } = readIngress(live)
  const isThere = (value: unknown) => !Array.isArray(value) || value.length > 0
  const gone = Object.keys(now).filter(key => !(key in spec) && isThere(now[key]))
  return {
    metadata: labels !== undefined && Object.keys(labels as object).length > 0 ? { labels: null } : {},
    spec: Object.fromEntries(gone.map(key => [key, null])),
  }
}

function planOne(c: Config, want: Desired, seen: Seen, name: string): readonly Action[] {
  const found = seen(ingressRef(want.namespace, name))
  if (!found) {
    const message = `error retrieving stableIngress \`${name}\` from cache: ingress.networking.k8s.io "${name}" not found`
    throw new TerminalError('IngressNotFound', message)
  }
  const stable = readIngress(found)
  const spec = specFor(c, want, stable)
  const values = annotationsFor(c, want, stable)
  const canary = ingressRef(want.namespace, canaryName(want.owner.name, name))
  const weight = destOf(want, 'canary')?.weight ?? 0
  const why = `canary weight ${weight}`
  const live = seen(canary)
  if (!live) {
    const message = `Creating canary ingress \`${canary.name}\` with weight \`${weight}\``
    const owner = { ...want.owner, controller: true, blockOwnerDeletion: true }
    const metadata = {
      name: canary.name,
      namespace: want.namespace,
      annotations: values,
      ownerReferences: [owner],
    }
    const object = { apiVersion: canary.apiVersion, kind: canary.kind, metadata, spec }
    return [{ verb: 'create', object, why, announce: { type: 'Normal', reason: 'CreatingCanaryIngress', message } }]
  }
  if (!isControlledBy(live, want.owner.uid)) {
    const message = `canary ingress \`${canary.name}\` controlled by different object`
    throw new TerminalError('ForeignCanaryIngress', message)
  }
  const gone = absent(live, spec)
  const target = { metadata: { annotations: values, ...gone.metadata }, spec: { ...spec, ...gone.spec } }
  const patch = mergePatchTo(live, target)
  if (patch === undefined) return []
  const message = `Updating Ingress \`${canary.name}\` to desiredWeight '${weight}'`
  const announce = { type: 'Normal', reason: 'PatchingCanaryIngress', message } as const
  return [{ verb: 'patch', ref: refOf(live), type: 'merge', patch, why, announce }]
}

/** What people should know before the first write: where ingress-nginx would not do what the weight says. */
function findings(c: Config, want: Desired, seen: Seen, name: string): readonly Finding[] {
  const found = seen(ingressRef(want.namespace, name))
  const field = c.stableIngresses ? 'stableIngresses' : 'stableIngress'
  const warning = (message: string): Finding => ({ level: 'warning', path: 'nginx', message })
  // argo: the words of the reference, since people search for them.
  if (!found) {
    // argo: of several, the path has a capital letter and the value is the whole list.
    const [path, value] = c.stableIngresses ? ['nginx.StableIngresses', c.stableIngresses] : [`nginx.${field}`, name]
    const message = `Invalid value: ${JSON.stringify(value)}: ingress.networking.k8s.io "${name}" not found`
    return [{ level: 'error', isMissing: true, path, message }]
  }
  const refused = (text: string): readonly Finding[] => [
    { level: 'error', path: `nginx.${field}`, message: `Invalid value: ${JSON.stringify(name)}: ${text}` },
  ]
  const stable = readIngress(found)
  const service = destOf(want, 'stable')?.service ?? ''
  const moved = stable.rules.filter(rule => pathsOf(rule).some(path => serviceOf(path) === service))
  if (moved.length === 0) return refused(`ingress \`${name}\` has no rules using service ${service} backend`)
  const result: Finding[] = []
  const others = new Set(moved.flatMap(pathsOf).map(serviceOf))
  others.delete(service)
  if (others.size > 0) {
    result.push(
      warning(`rules of Ingress ${name} also lead to ${[...others].join(', ')}; the canary copies those paths`),
    )
  }
  if (stable.annotations[`${prefixOf(c)}/affinity`] === 'cookie') {
    result.push(warning(`Ingress ${name} pins users by cookie: they stay where they are, whatever the weight`))
  }
  if (want.totalIsExplicit && want.total < 100) {
    result.push(warning(`ingress-nginx takes a maxTrafficWeight below 100 (here ${want.total}) as 100`))
  }
  return result
}

/** One of the two ways to name Ingresses must be used, and only one. */
function formFindings(c: Config): readonly Finding[] | undefined {
  const [isOne, areSeveral] = [Boolean(c.stableIngress), (c.stableIngresses ?? []).length > 0]
  if (isOne !== areSeveral) return undefined
  const fault = isOne ? 'Both are configured.' : 'Neither are configured.'
  const message = `Internal error: Either StableIngress or StableIngresses must be configured. ${fault}`
  return [{ level: 'error', isMissing: true, path: 'nginx', message }]
}

/** One that we have made: nginx takes it for a canary, and it bears the name that we give. */
const isCanaryIngress = (live: KubeObject): boolean =>
  live.kind === 'Ingress' &&
  live.metadata.name.endsWith('-canary') &&
  Object.keys(live.metadata.annotations ?? {}).some(key => key.endsWith('/canary-weight'))

export default defineTrafficRouter<Config>({
  name: 'nginx',
  config,
  rbac: [
    {
      apiGroups: ['networking.k8s.io'],
      resources: ['ingresses'],
      verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    },
  ],
  caps: { header: [], mirror: false, maxExtras: 0, maxTotal: 2_147_483_647, blueGreen: false },

  reads: (c, owner) =>
    namesOf(c).flatMap(name => [
      ingressRef(owner.namespace, name),
      ingressRef(owner.namespace, canaryName(owner.name, name)),
    ]),

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

  speaksFor(live) {
    const by = isCanaryIngress(live) ? controllingRollout(live) : undefined
    return by ? [by] : []
  },

  // argo: leaves it. The canary Service may be gone by then, and the canary would answer with errors.
  release(live) {
    const { uid } = live.metadata
    return [{ verb: 'delete', ref: refOf(live), ...(uid === undefined ? {} : { uid }), why: 'nginx routing ends' }]
  },
})
