// Does the load balancer itself send the shares that the Ingress asks for? What it says of its target groups, and what
// the Rollout's status tells of them (argo-behaviour 4.3, `--aws-verify-target-group`).
import * as z from 'zod'
import type { Desired, Dest, EventNote, Heard, HttpRequest, Inquired, KubeObject, Seen } from '#contract'
import { ingressRef } from './_ingress.ts'

type Status = Inquired['status']
type Alb = NonNullable<Status['alb']>

const group = z.object({
  name: z.string(),
  arn: z.string(),
  /** NAMESPACE/INGRESS-SERVICE:PORT: what the load balancer controller made it for. */
  resource: z.string(),
  /** One for each rule that splits traffic over it. */
  weights: z.array(z.number()),
})
const balancer = z.object({
  name: z.string(),
  arn: z.string(),
  groups: z.array(group),
  /** Why the groups could not be read. */
  error: z.string().optional(),
})
type Group = z.infer<typeof group>
type Balancer = z.infer<typeof balancer>

/** What of an Ingress is asked about. */
export type Asked = Readonly<{ ingresses: readonly string[]; port: number }>

const NOWHERE = { name: '', arn: '', fullName: '' }
const UNKNOWN: Alb = { loadBalancer: NOWHERE, canaryTargetGroup: NOWHERE, stableTargetGroup: NOWHERE }

/** Host names that the load balancer controller has written into the Ingress. */
function hostnamesOf(ingress: KubeObject | undefined): readonly string[] {
  const { loadBalancer } = (ingress?.['status'] ?? {}) as { loadBalancer?: { ingress?: { hostname?: string }[] } }
  return (loadBalancer?.ingress ?? []).flatMap(({ hostname }) => (hostname ? [hostname] : []))
}

const urlOf = (hostname: string): string => `aws-elbv2://load-balancers/${encodeURIComponent(hostname)}`

/** The questions: each load balancer of the Ingresses. */
export const questions = ({ ingresses }: Asked, want: Desired, seen: Seen): readonly HttpRequest[] =>
  ingresses
    .flatMap(name => hostnamesOf(seen(ingressRef(want.namespace, name))))
    .map(hostname => ({ method: 'GET', url: urlOf(hostname) }))

/** The end of an ARN behind its `count`th slash; '' when it has fewer. */
const tailOf = (arn: string, count: number): string => arn.split('/').slice(count).join('/')

const note = (type: EventNote['type'], reason: string, message: string): EventNote => ({ type, reason, message })

/** A target group beside the weight that it should have. */
function judge({ arn, weights }: Group, { service, weight }: Dest): Readonly<{ isRight: boolean; event: EventNote }> {
  const [what, wrong] = [`Service ${service} (TargetGroup ${arn})`, weights.find(one => one !== weight)]
  if (wrong === undefined) {
    const message = `${what} verified: canary weight ${weight} set`
    return { isRight: true, event: note('Normal', 'TargetGroupVerified', message) }
  }
  const message = `${what} not verified: canary weight ${weight} not yet set (current: ${wrong})`
  return { isRight: false, event: note('Warning', 'TargetGroupUnverified', message) }
}

/** Ends the reading: the rest cannot be judged. `error`: it could not be found out. */
class Unreadable extends Error {
  readonly event: EventNote | undefined
  readonly isError: boolean
  constructor(message: string, event: EventNote | undefined, isError = true) {
    super(message)
    this.event = event
    this.isError = isError
  }
}

/** What the door answered for a host name. Throws Unreadable. */
function balancerOf(hostname: string, canary: string, heard: ReadonlyMap<string, Heard>): Balancer {
  const answer = heard.get(urlOf(hostname)) ?? { error: 'no answer' }
  if ('error' in answer) throw unreadable(canary, answer.error)
  if (answer.status !== 404) return balancer.parse(JSON.parse(answer.body))
  const missing = note('Warning', 'LoadBalancerNotFound', `Failed to find load balancer: ${hostname}`)
  throw new Unreadable(`AWS knows no load balancer ${hostname}`, missing, false)
}

function unreadable(canary: string, text: string): Unreadable {
  const message = `Failed to verify Service ${canary} (TargetGroup unknown): ${text}`
  return new Unreadable(text, note('Warning', 'TargetGroupVerifyError', message))
}

/** Reads the answers. Verified: each Ingress has a target group for the canary and for each template of an experiment,
 * and all of these have their weight. argo: counts them, so that two host names, or two Ingresses beside an experiment,
 * never become true. */
export function readAnswers(
  { ingresses, port }: Asked,
  want: Desired,
  seen: Seen,
  heard: ReadonlyMap<string, Heard>,
  before: Status,
): Inquired {
  const weighed = want.dests.filter(({ role }) => role === 'canary' || role === 'extra')
  const serviceOf = (role: Dest['role']) => want.dests.find(dest => dest.role === role)?.service ?? ''
  const [canary, stable] = [serviceOf('canary'), serviceOf('stable')]
  const events: EventNote[] = []
  const wrong: string[] = []
  const albs: Alb[] = before.albs?.length === ingresses.length ? [...before.albs] : ingresses.map(() => UNKNOWN)
  let alb: Alb = before.alb ?? UNKNOWN

  function readIngress(name: string, i: number): void {
    const ingress = seen(ingressRef(want.namespace, name))
    if (!ingress) throw new Unreadable(`ingress.networking.k8s.io "${name}" not found`, undefined)
    const tell = (fields: Alb): void => {
      alb = { ...alb, ...fields }
      albs[i] = { ...albs[i], ...fields }
    }
    const resourceOf = (service: string | undefined) => `${want.namespace}/${name}-${service}:${port}`
    const right = new Set<Dest>()
    for (const hostname of hostnamesOf(ingress)) {
      const { name: title, arn, groups, error } = balancerOf(hostname, canary, heard)
      tell({ ingress: name, loadBalancer: { name: title, arn, fullName: tailOf(arn, 2) } })
      if (error !== undefined) throw unreadable(canary, error)
      for (const one of groups) {
        const told = { name: one.name, arn: one.arn, fullName: tailOf(one.arn, 1) }
        if (one.resource === resourceOf(canary)) tell({ canaryTargetGroup: told })
        else if (one.resource === resourceOf(stable)) tell({ stableTargetGroup: told })
        const dest = weighed.find(each => one.resource === resourceOf(each.service))
        if (!dest || one.weights.length === 0) continue
        const { isRight, event } = judge(one, dest)
        events.push(event)
        if (isRight) right.add(dest)
        else wrong.push(event.message)
      }
    }
    for (const dest of weighed.filter(one => !right.has(one)))
      wrong.push(`no target group of ${resourceOf(dest.service)} has weight ${dest.weight}`)
  }

  try {
    for (const [i, name] of ingresses.entries()) readIngress(name, i)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    if (error.event) events.push(error.event)
    const fault = error.isError ? { error: error.message } : {}
    return { verified: false, reason: error.message, events, status: { alb, albs }, ...fault }
  }
  const reason = wrong[0] ?? 'the load balancers send these shares'
  return { verified: wrong.length === 0, reason, events, status: { alb, albs } }
}
