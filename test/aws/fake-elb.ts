// Enough of Elastic Load Balancing's query interface to be asked by AWS' own library: lists in pages, and answers in XML.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Forward = readonly Readonly<{ group: string; weight: number }>[]
export type Cloud = Readonly<{
  /** ARN -> host name. */
  balancers: Readonly<Record<string, string>>
  /** ARN -> tags. */
  groups: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Listener -> the groups that each of its rules forwards to. */
  listeners: Readonly<Record<string, readonly Forward[]>>
  /** ARN of a target group -> its targets, ADDRESS:PORT STATE. */
  targets?: Readonly<Record<string, readonly string[]>>
}>

const PAGE = 2
const member = (items: readonly string[]) => items.map(item => `<member>${item}</member>`).join('')

type Failure = Readonly<{ status: number; code: string; message: string }>

/** Serves `cloud`; `fail` has the failures of the next calls, by action. `calls` counts. */
export async function fakeElb(cloud: Cloud, fail: Partial<Record<string, Failure[]>> = {}) {
  const calls: string[] = []

  function answer(action: string, query: URLSearchParams): string {
    const from = Number(query.get('Marker') ?? 0)
    const paged = (tag: string, items: readonly string[]) => {
      const next = from + PAGE < items.length ? `<NextMarker>${from + PAGE}</NextMarker>` : ''
      return `<${tag}>${member(items.slice(from, from + PAGE))}</${tag}>${next}`
    }
    if (action === 'DescribeLoadBalancers') {
      const one = ([arn, dns]: readonly [string, string]) =>
        `<LoadBalancerArn>${arn}</LoadBalancerArn><LoadBalancerName>${arn.split('/')[2]}</LoadBalancerName><DNSName>${dns}</DNSName>`
      return paged('LoadBalancers', Object.entries(cloud.balancers).map(one))
    }
    if (action === 'DescribeTargetGroups') {
      const one = (arn: string) =>
        `<TargetGroupArn>${arn}</TargetGroupArn><TargetGroupName>${arn.split('/')[1]}</TargetGroupName>`
      return paged('TargetGroups', Object.keys(cloud.groups).map(one))
    }
    if (action === 'DescribeTags') {
      const arns = [...query].filter(([key]) => key.startsWith('ResourceArns.member.')).map(([, arn]) => arn)
      if (arns.length > 20) throw new Error('at most 20 resources')
      const tagsOf = (arn: string) =>
        Object.entries(cloud.groups[arn] ?? {}).map(([key, value]) => `<Key>${key}</Key><Value>${value}</Value>`)
      const one = (arn: string) => `<ResourceArn>${arn}</ResourceArn><Tags>${member(tagsOf(arn))}</Tags>`
      return `<TagDescriptions>${member(arns.map(one))}</TagDescriptions>`
    }
    if (action === 'DescribeListeners') {
      const one = (arn: string) => `<ListenerArn>${arn}</ListenerArn>`
      return paged('Listeners', Object.keys(cloud.listeners).map(one))
    }
    if (action === 'DescribeTargetHealth') {
      const one = (text: string) => {
        const [, id, number, state] = /^(.*):(\d+) (\w+)$/.exec(text) ?? []
        return `<Target><Id>${id}</Id><Port>${number}</Port></Target><TargetHealth><State>${state}</State></TargetHealth>`
      }
      const targets = cloud.targets?.[query.get('TargetGroupArn') ?? ''] ?? []
      return `<TargetHealthDescriptions>${member(targets.map(one))}</TargetHealthDescriptions>`
    }
    const tuple = ({ group, weight }: Forward[number]) =>
      `<TargetGroupArn>${group}</TargetGroupArn><Weight>${weight}</Weight>`
    const rule = (forward: Forward) =>
      `<Actions>${member([`<Type>forward</Type><ForwardConfig><TargetGroups>${member(forward.map(tuple))}</TargetGroups></ForwardConfig>`])}</Actions>`
    return paged('Rules', (cloud.listeners[query.get('ListenerArn') ?? ''] ?? []).map(rule))
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const query = new URLSearchParams(Buffer.concat(chunks).toString())
    const action = query.get('Action') ?? ''
    calls.push(action)
    const failure = fail[action]?.shift()
    response.setHeader('content-type', 'text/xml')
    if (failure) {
      const { status, code, message } = failure
      response
        .writeHead(status)
        .end(`<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`)
      return
    }
    response.end(`<${action}Response><${action}Result>${answer(action, query)}</${action}Result></${action}Response>`)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, calls, close: () => new Promise(resolve => server.close(resolve)) }
}
