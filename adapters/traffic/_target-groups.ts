// Are the pods of a Service registered with its load balancer? TargetGroupBindings tie the Service to target groups, and AWS
// says which addresses these have (argo-behaviour 3.4, `--aws-verify-target-group`).
import * as z from 'zod'
import type { EventNote, Heard, HttpRequest, KubeObject, Registration, Registry } from '#contract'

type Reading = ReturnType<Registry['read']>

type Binding = Readonly<{
  targetGroupARN?: string
  targetType?: string
  ipAddressType?: string
  serviceRef?: Readonly<{ name?: string; port?: number | string }>
}>
type Port = Readonly<{ name?: string; port: number }>
type ServiceSpec = Readonly<{ ports?: readonly Port[]; ipFamilies?: readonly string[] }>
type Endpoint = Readonly<{
  addresses?: readonly string[]
  conditions?: Readonly<{ ready?: boolean | null }>
  targetRef?: Readonly<{ kind?: string; name?: string }>
}>
type Slice = KubeObject &
  Readonly<{
    addressType?: string
    endpoints?: readonly Endpoint[] | null
    ports?: readonly Readonly<{ name?: string; port?: number }>[] | null
  }>

const answer = z.object({
  /** `state` as AWS calls it: initial, healthy, draining and so on. */
  targets: z.array(z.object({ id: z.string(), port: z.number(), state: z.string().optional() })),
})

/** A target group that has pods of the Service, by the Service's port. */
type Group = Readonly<{ arn: string; family: string | undefined; port: string }>

const urlOf = (arn: string): string => `aws-elbv2://target-groups/${encodeURIComponent(arn)}`

/** The target groups that have the addresses of the Service's pods; those of nodes say nothing of a switch. */
function groupsOf({ service, bindings }: Registration): readonly Group[] {
  const { ports = [], ipFamilies = [] } = (service['spec'] ?? {}) as ServiceSpec
  return bindings.flatMap(binding => {
    const spec = (binding['spec'] ?? {}) as Binding
    const { targetGroupARN: arn = '', targetType, serviceRef: ref = {}, ipAddressType } = spec
    if (binding.metadata.deletionTimestamp !== undefined || targetType !== 'ip') return []
    if (ref.name !== service.metadata.name) return []
    const port = ports.find(one => (typeof ref.port === 'number' ? one.port === ref.port : one.name === ref.port))
    if (!port) return []
    const family = (ipAddressType ?? ipFamilies[0])?.toLowerCase()
    return [{ arn, family, port: port.name ?? '' }]
  })
}

/** ADDRESS:PORT of all ready pods of the version behind a port of the Service. Pods of another version are there for as
 * long as the slices have not followed the switch. */
function addressesOf({ slices, pods }: Registration, { family, port }: Group): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { addressType = '', endpoints, ports } of slices as readonly Slice[]) {
    const number = ports?.find(one => (one.name ?? '') === port)?.port
    if (number === undefined || (family !== undefined && addressType.toLowerCase() !== family)) continue
    for (const { addresses = [], conditions, targetRef } of endpoints ?? []) {
      const isOther = pods !== undefined && targetRef?.kind === 'Pod' && !targetRef.name?.startsWith(pods)
      // Kubernetes: not said means ready.
      if (!isOther && conditions?.ready !== false && addresses[0]) found.add(`${addresses[0]}:${number}`)
    }
  }
  return found
}

/** ADDRESS:PORT of the targets that get new connections, or will when they are healthy. argo: one that is being taken out
 * counts, too, although it gets none. */
function registeredAt({ arn }: Group, heard: ReadonlyMap<string, Heard>): ReadonlySet<string> {
  if (arn === '') throw new Error('its TargetGroupBinding names no target group yet')
  const reply = heard.get(urlOf(arn)) ?? { error: 'no answer' }
  if ('error' in reply) throw new Error(reply.error)
  const { targets } = answer.parse(JSON.parse(reply.body))
  return new Set(targets.filter(one => one.state !== 'draining').map(({ id, port }) => `${id}:${port}`))
}

const note = (type: EventNote['type'], reason: string, message: string): EventNote => ({ type, reason, message })

const failed = (service: string, text: string, arn = 'unknown'): EventNote =>
  note('Warning', 'TargetGroupVerifyError', `Failed to verify Service ${service} (TargetGroup ${arn}): ${text}`)

/** A group beside the pods that it should have; whether these are healthy is no matter of the switch. */
function judge(of: Registration, group: Group, heard: ReadonlyMap<string, Heard>): Reading {
  const { name } = of.service.metadata
  const what = `Service ${name} (TargetGroup ${group.arn})`
  try {
    const registered = registeredAt(group, heard)
    const wanted = addressesOf(of, group)
    const count = [...wanted].filter(address => registered.has(address)).length
    const total = Math.max(wanted.size, of.atLeast)
    const [verified, reason] = [count === total, `${what} not verified: ${count}/${total} endpoints registered`]
    const good = note('Normal', 'TargetGroupVerified', `${what} verified: ${count} endpoints registered`)
    const event = verified ? good : note('Warning', 'TargetGroupUnverified', reason)
    return { verified, reason: event.message, events: [event] }
  } catch (error) {
    const event = failed(name, (error as Error).message, group.arn || 'unknown')
    return { verified: false, reason: event.message, events: [event] }
  }
}

export const targetGroups: Registry = {
  bindings: { apiVersion: 'elbv2.k8s.aws/v1beta1', kind: 'TargetGroupBinding' },

  asks: (of): readonly HttpRequest[] =>
    groupsOf(of)
      .filter(({ arn }) => arn !== '')
      .map(({ arn }) => ({ method: 'GET', url: urlOf(arn) })),

  // argo: the first that is not there yet ends it.
  read(of, heard) {
    const events: EventNote[] = []
    for (const group of groupsOf(of)) {
      const { verified, reason, events: more } = judge(of, group, heard)
      events.push(...more)
      if (!verified) return { verified, reason, events }
    }
    return { verified: true, reason: 'the target groups have all pods', events }
  },

  failed: (service, text) => failed(service, text),
}
