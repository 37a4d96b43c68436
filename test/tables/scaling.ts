// Table of limits, roles and delays, and of how the new, the stable and the old sets are scaled.
import type { ReplicaSet, Service } from '../../src/api/kube.ts'
import type { Action } from '../../src/contract.ts'
import { isReadyForPause, newSize } from '../../src/rollout/blue-green.ts'
import { maxSurge, maxUnavailable } from '../../src/rollout/limits.ts'
import type { Observed } from '../../src/rollout/observe.ts'
import { planOldBlueGreen, planOldCanary } from '../../src/rollout/old-sets.ts'
import { announced } from '../../src/rollout/part.ts'
import { NO_INTENT } from '../../src/rollout/pauses.ts'
import type { Known } from '../../src/rollout/plan.ts'
import { isFullyPromoted } from '../../src/rollout/progress.ts'
import { basicCounts } from '../../src/rollout/replicas-basic.ts'
import { routedCounts } from '../../src/rollout/replicas-routed.ts'
import { inRestartOrder, needsRestart } from '../../src/rollout/restarter.ts'
import { planHistory } from '../../src/rollout/revision.ts'
import { planNewScale, type Scaled, scale } from '../../src/rollout/scale.ts'
import {
  availableReplicas,
  byRevisionDescending,
  hasDeadline,
  hashOf,
  isFullyAvailable,
  isSaturated,
  readRevision,
  readyReplicas,
  sized,
  specReplicas,
  statusReplicas,
  sumOf,
  untilDeadline,
} from '../../src/rollout/sets.ts'
import type { SpecShape, WeightsShape } from '../../src/rollout/shape.ts'
import { nowOf, seenOf } from '../kit/seen-of-vector.ts'
import type { Row, Table } from '../kit/vector-table.ts'

/** No routers: nothing but the delays holds a set. */
const known: Known = { steps: {}, routers: {}, plugins: {} }

type Fields = Readonly<Record<string, unknown>>

/** A vector with `all` and the hash of the new set, as one with named sets. */
function named(row: Row): Row {
  const all = (row['all'] ?? []) as readonly { hash: string }[]
  const stable = (row['status'] as { stableRS?: string } | undefined)?.stableRS
  const find = (hash: unknown) => all.find(set => set.hash === hash)
  const others = all.filter(set => set.hash !== row['new'] && set.hash !== stable)
  return { ...row, sets: { new: find(row['new']), stable: find(stable), others } }
}

/** Hashes in the order of the table, which is the order of the cache. */
const inOrderOf = (row: Row, sets: readonly ReplicaSet[]): readonly string[] => {
  const all = (row['all'] as readonly { hash: string }[]).map(set => set.hash)
  return sets.map(hashOf).toSorted((a, b) => all.indexOf(a) - all.indexOf(b))
}

function reading(row: Row): Observed {
  const seen = seenOf(row['all'] === undefined ? row : named(row))
  const selected = (row['services'] ?? {}) as Readonly<Record<string, string>>
  const service = (name: string) =>
    selected[name] === undefined
      ? undefined
      : ({
          metadata: { name },
          spec: { selector: { 'rollouts-pod-template-hash': selected[name] } },
        } as unknown as Service)
  return { ...seen, service }
}

function sizesOf(seen: Observed, row: Row) {
  const { spec, status } = seen
  const newRS = sized(seen.newRS)
  const sets = { spec, status, newRS, stableRS: sized(seen.stableRS), otherRSs: seen.otherRSs.map(rs => sized(rs)!) }
  if (spec.strategy?.blueGreen) return { new: newSize(seen), stable: seen.replicas }
  const weights = (row['weights'] ?? status.canary?.weights) as WeightsShape
  return spec.strategy?.canary?.trafficRouting ? routedCounts({ ...sets, weights }) : basicCounts(sets)
}

/** A set as the actions leave it, in the words of the table. */
function after(rs: ReplicaSet, actions: readonly Action[]): Fields {
  let { replicas } = rs.spec
  let annotations: Readonly<Record<string, string | null | undefined>> = rs.metadata.annotations ?? {}
  for (const action of actions) {
    if (action.verb !== 'patch' || action.ref.name !== rs.metadata.name) continue
    const patch = action.patch as {
      spec?: { replicas?: number }
      metadata?: { annotations?: Record<string, string | null> }
    }
    replicas = patch.spec?.replicas ?? replicas
    annotations = { ...annotations, ...patch.metadata?.annotations }
  }
  const [desired, deadline] = [annotations['rollout.argoproj.io/desired-replicas'], annotations['scale-down-deadline']]
  return { ...(deadline ? { deadline } : {}), ...(desired ? { desired } : {}), hash: hashOf(rs), spec: replicas ?? 1 }
}

function outcome({
  part,
  resized,
}: Scaled): Readonly<{ actions: readonly Action[]; events: unknown; scaled: boolean }> {
  const events = part.actions.flatMap(action => [...announced(action), ...(action.event ? [action.event] : [])])
  return { actions: part.actions, events: [...events, ...part.events], scaled: resized }
}

function scaled(which: 'new' | 'stable', row: Row, plan: (seen: Observed) => Scaled): Fields {
  const seen = reading(row)
  const { actions, events, scaled: isScaled } = outcome(plan(seen))
  const rs = which === 'new' ? seen.newRS : seen.stableRS
  return { events, ...(rs ? { [which]: after(rs, actions) } : {}), scaled: isScaled }
}

const answers: Readonly<Record<string, (row: Row) => unknown>> = {
  limits(row) {
    const spec = row['spec'] as SpecShape
    return { maxSurge: maxSurge(spec), maxUnavailable: maxUnavailable(spec) }
  },
  newReplicas(row) {
    const seen = reading(row)
    const ready = seen.spec.strategy?.blueGreen ? { readyForPause: isReadyForPause(seen) } : {}
    return { ...ready, replicas: sizesOf(seen, row).new }
  },
  scaleNew: row =>
    scaled('new', row, seen => planNewScale(seen, known, sizesOf(seen, row).new, NO_INTENT, nowOf(row), '')),
  scaleStable: row =>
    scaled('stable', row, seen =>
      seen.stableRS && (seen.stableRS !== seen.newRS || seen.spec.strategy?.blueGreen)
        ? scale(seen, seen.stableRS, sizesOf(seen, row).stable, NO_INTENT, '')
        : { part: { actions: [], events: [], because: [] }, resized: false },
    ),
  scaleDownOld(row) {
    const seen = reading(row)
    const run = row['postPromotionRun']
    const isSwitched =
      seen.status.blueGreen?.activeSelector === seen.newRS?.metadata.labels?.['rollouts-pod-template-hash']
    const isStable = seen.status.stableRS === (seen.newRS && hashOf(seen.newRS))
    const isAnalysed = run !== '' || isSaturated(seen.newRS, seen.replicas)
    const isPending = run !== undefined && run !== 'Successful' && isSwitched && isAnalysed && !isStable
    const plan = seen.spec.strategy?.blueGreen
      ? planOldBlueGreen(seen, known, isPending, nowOf(row))
      : planOldCanary(seen, known, isFullyPromoted(seen.status), nowOf(row))
    const { actions, events, scaled: isScaled } = outcome(plan)
    return { events, others: seen.otherRSs.map(rs => after(rs, actions)), scaled: isScaled }
  },
  revisionHistory: row => ({
    deleted: planHistory(reading(row)).actions.flatMap(action =>
      action.verb === 'delete' ? [action.ref.name.replace('demo-', '')] : [],
    ),
  }),
  restartOrder: row => inRestartOrder(reading(row)).map(hashOf),
  needsRestart: row => needsRestart(reading(row).rollout, nowOf(row)),
  sortByRevision(row) {
    const sets = reading({ ...row, spec: {} }).otherRSs
    return { descending: sets.toSorted(byRevisionDescending).map(hashOf) }
  },
  roles(row) {
    const { allRSs, stableRS, otherRSs, olderRSs } = reading(row)
    return {
      actualReplicas: sumOf(allRSs, statusReplicas),
      availableReplicas: sumOf(allRSs, availableReplicas),
      older: inOrderOf(row, olderRSs),
      others: otherRSs.map(hashOf),
      readyReplicas: sumOf(allRSs, readyReplicas),
      replicas: sumOf(allRSs, specReplicas),
      stable: stableRS ? hashOf(stableRS) : null,
    }
  },
  set(row) {
    const rs = seenOf({ ...row, sets: { new: row['set'] } }).newRS
    const left = rs && hasDeadline(rs) ? untilDeadline(rs, nowOf(row)) : undefined
    return {
      available: rs !== undefined && isFullyAvailable(rs),
      hasDeadline: rs !== undefined && hasDeadline(rs),
      remainingSeconds: left === undefined ? null : left / 1000,
      revision: rs && (readRevision(rs) ?? -1),
    }
  },
}

/** Kinds of which only some fields have a counterpart here. */
const PARTIAL = new Set(['sortByRevision', 'roles', 'set'])

const kindOf = (row: Row): string => row['kind'] as string

/** Somebody went back to the stable version while another one is active, with a preview that is smaller. */
function isStablePreview(row: Row): boolean {
  if (kindOf(row) !== 'newReplicas' && kindOf(row) !== 'scaleNew') return false
  const { spec, status, newRS } = reading(row)
  const isStable = newRS !== undefined && hashOf(newRS) === status.stableRS
  return (
    isStable &&
    spec.strategy?.blueGreen?.previewReplicaCount != null &&
    status.blueGreen?.activeSelector !== status.stableRS
  )
}

export const scaling: Table = {
  name: 'scale-limits',
  elsewhere: row =>
    kindOf(row) === 'delays' ? 'delays are judged where they act: scaleNew and scaleDownOld' : undefined,
  answer: row => answers[kindOf(row)]!(row),
  want(row) {
    if (!PARTIAL.has(kindOf(row))) return row.want
    const fields = Object.keys(answers[kindOf(row)]!(row) as Fields)
    return Object.fromEntries(fields.map(field => [field, (row.want as Fields)[field]]))
  },
  exceptions(row) {
    if (isStablePreview(row))
      return { reason: 'the stable set is always whole; the reference shrinks it to the preview' }
    if (kindOf(row) !== 'scaleDownOld') return undefined
    const got = answers['scaleDownOld']!(row) as Fields
    const want = row.want as Readonly<{ events: readonly unknown[]; others: unknown; scaled: boolean }>
    const { blueGreen, canary } = reading(row).spec.strategy ?? {}
    const isAtOnce = (blueGreen ?? canary)?.scaleDownDelaySeconds === 0
    if (want.events.length > (got['events'] as readonly unknown[]).length) {
      const reason = 'a set that is trimmed and then scaled down is one write and one event'
      return { reason, want: { ...want, events: got['events'] } }
    }
    const isKept = (set: Fields) => set['spec'] !== 0 && set['deadline'] === undefined
    if (isAtOnce && (want.others as readonly Fields[]).some(isKept)) {
      return { reason: 'scaleDownDelaySeconds: 0 means at once; the reference keeps such a set for ever' }
    }
    return undefined
  },
}
