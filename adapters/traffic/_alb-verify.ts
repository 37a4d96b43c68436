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
  const events: EventNote[] = []
  const albs: Alb[] = before.albs?.length === ingresses.length ? [...before.albs] : ingresses.map(() => UNKNOWN)
  let alb: Alb = before.alb ?? UNKNOWN
  const canary = want.dests.find(({ role }) => role === 'canary')
  const stable = want.dests.find(({ role }) => role === 'stable')
  const weighed = want.dests.filter(({ role }) => role === 'canary' || role === 'extra')
  const end = (verified: boolean, reason: string, error?: string): Inquired => ({
    verified,
    reason,
    events,
    status: { alb, albs },
    ...(error === undefined ? {} : { error }),
  })
  const failed = (text: string): Inquired => {
    const message = `Failed to verify Service ${canary?.service} (TargetGroup unknown): ${text}`
    events.push(note('Warning', 'TargetGroupVerifyError', message))
    return end(false, `AWS could not be asked: ${text}`, text)
  }
  const wrong: string[] = []
  for (const [i, name] of ingresses.entries()) {
    const ingress = seen(ingressRef(want.namespace, name))
    if (!ingress) {
      const text = `ingress.networking.k8s.io "${name}" not found`
      return end(false, text, text)
    }
    const resourceOf = (dest: Dest | undefined) => `${want.namespace}/${name}-${dest?.service}:${port}`
    const tell = (fields: Alb): void => {
      alb = { ...alb, ...fields }
      albs[i] = { ...albs[i], ...fields }
    }
    const right = new Set<Dest>()
    for (const hostname of hostnamesOf(ingress)) {
      const answer = heard.get(urlOf(hostname)) ?? { error: 'no answer' }
      if ('error' in answer) return failed(answer.error)
      if (answer.status === 404) {
        events.push(note('Warning', 'LoadBalancerNotFound', `Failed to find load balancer: ${hostname}`))
        return end(false, `AWS knows no load balancer ${hostname}`)
      }
      const { name: title, arn, groups, error } = balancer.parse(JSON.parse(answer.body))
      tell({ ingress: name, loadBalancer: { name: title, arn, fullName: tailOf(arn, 2) } })
      if (error !== undefined) return failed(error)
      for (const one of groups) {
        const told = { name: one.name, arn: one.arn, fullName: tailOf(one.arn, 1) }
        if (one.resource === resourceOf(canary)) tell({ canaryTargetGroup: told })
        else if (one.resource === resourceOf(stable)) tell({ stableTargetGroup: told })
        const dest = weighed.find(each => one.resource === resourceOf(each))
        if (!dest || one.weights.length === 0) continue
        const { isRight, event } = judge(one, dest)
        events.push(event)
        if (isRight) right.add(dest)
        else wrong.push(event.message)
      }
    }
    for (const dest of weighed.filter(one => !right.has(one)))
      wrong.push(`no target group of ${resourceOf(dest)} has weight ${dest.weight}`)
  }
  return end(wrong.length === 0, wrong[0] ?? 'the load balancers send these shares')
}
