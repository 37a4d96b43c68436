// Table of the Services' selectors: which patch goes to which Service in a pass, and what the watcher gives back.
import type { ReplicaSet, Service } from '../../src/api/kube.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import type { Action } from '../../src/contract.ts'
import { switchActive, switchPreview } from '../../src/rollout/blue-green.ts'
import { planCanaryServices } from '../../src/rollout/canary.ts'
import type { Observed } from '../../src/rollout/observe.ts'
import { NO_INTENT } from '../../src/rollout/pauses.ts'
import type { Known } from '../../src/rollout/plan.ts'
import { planServiceRelease } from '../../src/rollout/service-release.ts'
import { planTraffic } from '../../src/rollout/traffic.ts'
import type { Row, Table } from '../kit/vector-table.ts'

const NOW = Date.parse('2024-05-01T12:00:00Z')
const TYPES: Readonly<Record<string, string>> = {
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
}

type Fields = Readonly<Record<string, unknown>>
type Outcome = Readonly<{ error?: string; patches: readonly Fields[]; events?: readonly unknown[] }>

const servicesOf = (row: Row): readonly Service[] => row['services'] as readonly Service[]

function seenOf(row: Row): Observed {
  const rollout = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', ...(row['rollout'] as object) } as Rollout
  const within = row['newRSWithinScaleDownDelay'] ? { 'scale-down-deadline': '2024-05-01T12:10:00Z' } : {}
  const given = row['newRS'] as ReplicaSet | undefined
  const newRS = given && {
    ...given,
    metadata: { ...given.metadata, annotations: { ...given.metadata.annotations, ...within } },
  }
  const stableRS = row['stableIsNew'] ? newRS : (row['stableRS'] as ReplicaSet | undefined)
  const otherRSs = (row['otherRSs'] ?? []) as readonly ReplicaSet[]
  const allRSs = [...new Set([newRS, stableRS, ...otherRSs])].filter(rs => rs !== undefined)
  return {
    rollout,
    spec: rollout.spec,
    status: rollout.status ?? {},
    replicas: rollout.spec.replicas ?? 1,
    newRS,
    stableRS,
    otherRSs,
    allRSs,
    olderRSs: allRSs.filter(rs => rs !== newRS),
    runs: [],
    look: () => undefined,
    service: (name: string) => servicesOf(row).find(service => service.metadata.name === name),
  } as unknown as Observed
}

const nowhere: Known = { steps: {}, routers: {}, plugins: {} }

const answers: Readonly<Record<string, (row: Row) => readonly Action[]>> = {
  pingPong: row => planCanaryServices(seenOf(row)).actions,
  stableAndCanary: row => (ops(row).includes('pingPong') ? [] : planCanaryServices(seenOf(row)).actions),
  trafficRouting: row => planTraffic(seenOf(row), nowhere, NO_INTENT, [], NOW).part.actions,
  preview: row => switchPreview(seenOf(row)).part.actions,
  active(row) {
    const seen = seenOf(row)
    const analysis = seen.spec.strategy?.blueGreen?.prePromotionAnalysis
    const isPrePromotionDone = analysis == null || row['prePromotionAnalysis'] === 'Successful'
    const add = row['pauseAddedInThisReconciliation'] ? (['BlueGreenPause'] as const) : []
    const abort = row['abortAddedInThisReconciliation'] ? { abort: '' } : {}
    return switchActive(seen, { isPrePromotionDone }, { ...NO_INTENT, add, ...abort }, NOW).part.actions
  },
  syncService(row) {
    const [service] = servicesOf(row)
    const rollouts = row['rollouts'] as readonly Rollout[]
    const name = service!.metadata.annotations?.['argo-rollouts.argoproj.io/managed-by-rollouts']
    return planServiceRelease(
      service!,
      rollouts.find(one => one.metadata.name === name),
    )
  },
}

/** The patch without a claim that the Service carries already: ours says it anyway, which changes nothing. */
function withoutOldClaim(service: Service | undefined, patch: Fields): Fields {
  const { metadata, ...rest } = patch as { metadata?: { annotations?: Record<string, unknown> } }
  const [claim] = Object.entries(metadata?.annotations ?? {})
  return claim && service?.metadata.annotations?.[claim[0]] === claim[1] ? rest : patch
}

function patchOf(row: Row, action: Action): Fields | undefined {
  if (action.verb !== 'patch' || action.ref.kind !== 'Service') return undefined
  const { name } = action.ref
  const service = servicesOf(row).find(one => one.metadata.name === name)
  return { service: name, patchType: TYPES[action.type], patch: withoutOldClaim(service, action.patch as Fields) }
}

function outcome(row: Row, actions: readonly Action[]): Outcome {
  const events = actions.flatMap(action => action.event ?? [])
  return {
    patches: actions.map(action => patchOf(row, action)).filter(patch => patch !== undefined),
    ...(events.length > 0 ? { events } : {}),
  }
}

/** What is judged here: the patches and their events, not what the API server makes of them. */
const judgedPart = ({ patches, events }: Outcome): Outcome => ({
  patches: patches.map(({ service, patchType, patch }) => ({ service, patchType, patch })),
  ...(events ? { events } : {}),
})

const nothing: readonly Outcome[] = [{ patches: [] }]
const ops = (row: Row): readonly string[] => row['ops'] as readonly string[]

export const services: Table = {
  name: 'services',
  elsewhere(row) {
    const wants = row.want as readonly Outcome[]
    if (wants.some(({ error }) => error?.includes('not found')))
      return 'a missing Service is refused first: validation-refs'
    if (row['fail'] !== undefined && (row['fail'] as Fields)['patch'] !== undefined)
      return 'failing writes: the fault laws'
    return undefined
  },
  answer: row => ops(row).map(op => outcome(row, answers[op]!(row))),
  want: row => (row.want as readonly Outcome[]).map(judgedPart),
  exceptions(row) {
    if (row['fail'] !== undefined) {
      return { reason: 'a rollout that cannot be read has not gone: the Service keeps its selector', want: nothing }
    }
    if (row.name.includes('hash without annotation')) {
      return { reason: 'the reference removes an annotation that is not there', want: nothing }
    }
    if (ops(row).includes('syncService')) return undefined
    const seen = seenOf(row)
    const isRouted = seen.spec.strategy?.canary?.trafficRouting != null
    if (isRouted && seen.status.abort && row.name.includes('flips')) {
      return {
        reason: 'after an abort the canary Service goes to stable once and stays',
        want: [...nothing, ...nothing],
      }
    }
    if (seen.spec.strategy?.blueGreen && seen.status.abort && !seen.stableRS) {
      return { reason: 'an empty hash in the selector is an outage', want: nothing }
    }
    if (row.name.includes('service with an empty hash')) {
      return { reason: 'an empty hash selects no pod: nothing is served, so there is nothing to wait for' }
    }
    return undefined
  },
}
