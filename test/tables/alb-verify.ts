// Table of what AWS is asked about the weights of target groups, and what is made of its answers.
import alb from '../../adapters/traffic/alb.ts'
import type { Desired, EventNote, Heard, KubeObject, TrafficRouter } from '../../src/contract.ts'
import type { Observed } from '../../src/rollout/observe.ts'
import { observeRouter, toldByProviders } from '../../src/rollout/routers.ts'
import { objectWorld } from '../kit/object-world.ts'
import { seenOf } from '../kit/seen-of-vector.ts'
import type { Row, Table } from '../kit/vector-table.ts'
import { servicesOf } from './alb.ts'

type Group = Readonly<{ name: string; arn: string; weight?: number; tags?: Readonly<Record<string, string>> }>
type Vector = Readonly<{
  verificationEnabled: boolean
  rollout: Parameters<typeof servicesOf>[0]['rollout']
  ingresses: readonly KubeObject[]
  aws: Readonly<{
    loadBalancers?: Readonly<Record<string, Readonly<{ name: string; arn: string }>>>
    targetGroups?: Readonly<Record<string, readonly Group[]>>
    fail?: Readonly<{ loadBalancer?: string; targetGroups?: string }>
  }>
  weight: number
  additional?: readonly Readonly<{ serviceName: string; weight: number }>[]
}>
type Wanted = Readonly<{
  verified: boolean | null
  error?: string
  alb: unknown
  albs: unknown
  events?: readonly EventNote[]
}>

function desired({ rollout, weight, additional = [] }: Vector): Desired {
  const { name, namespace } = rollout.metadata
  const { stable, canary } = servicesOf({ rollout })
  const total = rollout.spec.strategy.canary.trafficRouting.maxTrafficWeight ?? 100
  const given = additional.reduce((sum, extra) => sum + extra.weight, weight)
  return {
    owner: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name, uid: 'u' },
    namespace,
    total,
    totalIsExplicit: false,
    dests: [
      { role: 'canary', weight, service: canary },
      { role: 'stable', weight: total - given, service: stable },
      ...additional.map(extra => ({ role: 'extra' as const, weight: extra.weight, service: extra.serviceName })),
    ],
    headers: [],
    mirrors: [],
  }
}

/** What the controller's door to AWS answers (src/aws). */
function answer({ aws }: Vector, url: string): Heard {
  const { loadBalancers = {}, targetGroups = {}, fail = {} } = aws
  if (fail.loadBalancer !== undefined) return { error: fail.loadBalancer }
  const found = loadBalancers[decodeURIComponent(url.split('/').at(-1)!)]
  if (!found) return { status: 404, headers: {}, body: '' }
  const groups = (targetGroups[found.arn] ?? []).map(({ name, arn, weight, tags = {} }) => ({
    name,
    arn,
    resource: tags['ingress.k8s.aws/resource'] ?? '',
    weights: weight === undefined ? [] : [weight],
  }))
  const error = fail.targetGroups
  const body = JSON.stringify({ ...found, groups: error === undefined ? groups : [], ...(error ? { error } : {}) })
  return { status: 200, headers: {}, body }
}

function verify(row: Row) {
  const vector = row as unknown as Vector
  const ingresses = vector.ingresses.map(one => ({ ...one, apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }))
  const seen: Observed = { ...seenOf(row), look: objectWorld(ingresses).seen }
  const router = alb as TrafficRouter<unknown>
  const config = alb.config.parse(vector.rollout.spec.strategy.canary.trafficRouting.alb)
  const known = { steps: {}, plugins: {}, routers: { alb: router }, asksProviders: vector.verificationEnabled }
  const heard = new Map<string, Heard>()
  for (;;) {
    const { verified, waits, status } = observeRouter(
      { ...seen, heard },
      known,
      { router, config },
      desired(vector),
      false,
      0,
    )
    if (!waits.asks) return { verified, events: waits.events, ...toldByProviders(seen, known), ...status }
    for (const { key } of waits.asks) heard.set(key, answer(vector, key))
  }
}

/** The reference counts the groups that are right: one too many, or an Ingress more beside an experiment, and it waits
 * for ever although it finds nothing wrong. */
function isMiscounted(row: Row): boolean {
  const { rollout, additional = [] } = row as unknown as Vector
  const { verified, error, events = [] } = row.want as Wanted
  const { ingresses } = alb.config.parse(rollout.spec.strategy.canary.trafficRouting.alb)
  const least = (ingresses?.length || 1) + additional.length
  const areRight = events.every(({ reason }) => reason === 'TargetGroupVerified')
  return verified === false && error === undefined && areRight && events.length > least
}

export const albVerify: Table = {
  name: 'alb_verify',
  answer(row) {
    const { verified, events, alb: one, albs } = verify(row)
    const errors = events.filter(({ reason }) => reason === 'WeightVerifyError')
    const error = errors[0]?.message.replace('Failed to verify weight: ', '')
    return {
      verified,
      ...(error === undefined ? {} : { error }),
      alb: one ?? null,
      albs: albs ?? null,
      events: events.filter(event => !errors.includes(event)),
    }
  },
  want(row) {
    const { verified, error, alb: one, albs, events = [] } = row.want as Wanted
    return { verified, ...(error === undefined ? {} : { error }), alb: one, albs, events }
  },
  exceptions: row =>
    isMiscounted(row)
      ? {
          reason: 'every group has its weight: verified',
          want: { ...(albVerify.want?.(row) as object), verified: true },
        }
      : undefined,
}
