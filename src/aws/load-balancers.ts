// The door to Elastic Load Balancing: what a load balancer says of its target groups and their weights, and a target group
// of its targets. The library is loaded when the first question comes, with the credentials that it finds (environment,
// service account, node).
import type { Action, ElasticLoadBalancingV2Client, LoadBalancer } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { HttpReply, HttpRequest } from '../contract.ts'
import type { Fetch } from '../ports.ts'

/** Of the questions that this door answers: aws-elbv2://load-balancers/HOSTNAME and aws-elbv2://target-groups/ARN. */
const SCHEME = 'aws-elbv2:'
/** Most target groups whose tags can be asked for at once (DescribeTags). */
const MOST_TAGGED = 20

type Library = typeof import('@aws-sdk/client-elastic-load-balancing-v2')

const load = async (): Promise<Library> => {
  try {
    return await import('@aws-sdk/client-elastic-load-balancing-v2')
  } catch {
    throw new Error('@aws-sdk/client-elastic-load-balancing-v2 is not installed, and AWS cannot be asked without it')
  }
}

export type LoadBalancers = Readonly<{ fetch: Fetch; close(): void }>

/** Adds the door to `otherwise`, which answers all other questions. Of a load balancer the reply is JSON {name, arn,
 * groups}, status 404 when AWS knows none of the host name; of a target group {targets}. `tagKey`: the tag that names what
 * a target group was made for. Throws what the library throws; faults that come when the load balancer has been found are
 * told beside it, as `error`. */
export function withLoadBalancers(otherwise: Fetch, tagKey: string): LoadBalancers {
  let client: ElasticLoadBalancingV2Client | undefined
  // One question at a time for each load balancer: several rollouts behind it share the answer.
  const asked = new Map<string, Promise<HttpReply>>()

  const ask = (url: string): Promise<HttpReply> => {
    const open = asked.get(url)
    if (open) return open
    const answer = askNow(new URL(url)).finally(() => asked.delete(url))
    asked.set(url, answer)
    return answer
  }

  async function askNow({ host, pathname }: URL): Promise<HttpReply> {
    const library = await load()
    client ??= new library.ElasticLoadBalancingV2Client({})
    const what = decodeURIComponent(pathname.slice(1))
    return host === 'target-groups' ? targetsOf(library, client, what) : balancerOf(library, client, what)
  }

  async function balancerOf(
    library: Library,
    client: ElasticLoadBalancingV2Client,
    hostname: string,
  ): Promise<HttpReply> {
    const found = await findBalancer(library, client, hostname)
    const { LoadBalancerName: name = '', LoadBalancerArn: arn } = found ?? {}
    if (arn === undefined) return { status: 404, headers: {}, body: '' }
    const groups = await groupsOf(library, client, arn, tagKey).catch((error: Error) => ({ error: error.message }))
    const told = 'error' in groups ? { groups: [], error: groups.error } : { groups }
    return { status: 200, headers: {}, body: JSON.stringify({ name, arn, ...told }) }
  }

  const fetch: Fetch = (request: HttpRequest, signal) => {
    return new URL(request.url).protocol === SCHEME ? ask(request.url) : otherwise(request, signal)
  }
  return { fetch, close: () => client?.destroy() }
}

/** The addresses that are registered in a target group, healthy or not. */
async function targetsOf(library: Library, client: ElasticLoadBalancingV2Client, arn: string): Promise<HttpReply> {
  const command = new library.DescribeTargetHealthCommand({ TargetGroupArn: arn })
  const { TargetHealthDescriptions = [] } = await client.send(command)
  const targets = TargetHealthDescriptions.flatMap(
    ({ Target: { Id: id, Port: port } = { Id: undefined }, TargetHealth }) =>
      id === undefined || port === undefined ? [] : [{ id, port, state: TargetHealth?.State }],
  )
  return { status: 200, headers: {}, body: JSON.stringify({ targets }) }
}

async function findBalancer(
  library: Library,
  client: ElasticLoadBalancingV2Client,
  hostname: string,
): Promise<LoadBalancer | undefined> {
  for await (const page of library.paginateDescribeLoadBalancers({ client }, {}))
    for (const one of page.LoadBalancers ?? []) if (one.DNSName === hostname) return one
  return undefined
}

type Group = Readonly<{ name: string; arn: string; resource: string; weights: readonly number[] }>

/** The target groups of a load balancer, in AWS' order. argo: reads only the first page of each list. */
async function groupsOf(
  library: Library,
  client: ElasticLoadBalancingV2Client,
  balancer: string,
  tagKey: string,
): Promise<readonly Group[]> {
  const names = new Map<string, string>()
  for await (const page of library.paginateDescribeTargetGroups({ client }, { LoadBalancerArn: balancer }))
    for (const one of page.TargetGroups ?? [])
      if (one.TargetGroupArn) names.set(one.TargetGroupArn, one.TargetGroupName ?? '')
  const [resources, weights] = await Promise.all([
    resourcesOf(library, client, [...names.keys()], tagKey),
    weightsOf(library, client, balancer),
  ])
  return [...names].map(([arn, name]) => ({
    name,
    arn,
    resource: resources.get(arn) ?? '',
    weights: weights.get(arn) ?? [],
  }))
}

async function resourcesOf(
  library: Library,
  client: ElasticLoadBalancingV2Client,
  arns: readonly string[],
  tagKey: string,
): Promise<ReadonlyMap<string, string>> {
  const resources = new Map<string, string>()
  for (let i = 0; i < arns.length; i += MOST_TAGGED) {
    const few = { ResourceArns: arns.slice(i, i + MOST_TAGGED) }
    const { TagDescriptions = [] } = await client.send(new library.DescribeTagsCommand(few))
    for (const { ResourceArn: arn, Tags = [] } of TagDescriptions) {
      const value = Tags.find(tag => tag.Key === tagKey)?.Value
      if (arn && value !== undefined) resources.set(arn, value)
    }
  }
  return resources
}

/** The weights of each target group, one for each rule that splits traffic over it; of rules with a single group only
 * where there is no other. argo: the last rule counts, so that a header route hides the split. */
async function weightsOf(
  library: Library,
  client: ElasticLoadBalancingV2Client,
  balancer: string,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const actions: Action[] = []
  for await (const page of library.paginateDescribeListeners({ client }, { LoadBalancerArn: balancer }))
    for (const { ListenerArn } of page.Listeners ?? [])
      for await (const { Rules = [] } of library.paginateDescribeRules({ client }, { ListenerArn }))
        actions.push(...Rules.flatMap(rule => rule.Actions ?? []))
  const forwards = actions.map(({ ForwardConfig }) => ForwardConfig?.TargetGroups ?? [])
  const [splits, singles] = [new Map<string, number[]>(), new Map<string, number[]>()]
  for (const groups of forwards)
    for (const { TargetGroupArn: arn, Weight } of groups) {
      if (arn === undefined || Weight === undefined) continue
      const place = groups.length > 1 ? splits : singles
      place.set(arn, [...(place.get(arn) ?? []), Weight])
    }
  return new Map([...singles, ...splits])
}
