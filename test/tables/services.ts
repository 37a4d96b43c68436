// Table of the Services' selectors: which patch goes to which Service in a pass, and what the watcher gives back.
import type { ReplicaSet, Service } from '../../src/api/kube.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import type { Action } from '../../src/contract.ts'
import { switchActive, switchPreview } from '../../src/rollout/blue-green.ts'
import { planCanaryServices } from '../../src/rollout/canary.ts'
import { HASH_LABEL, MANAGED_BY } from '../../src/rollout/keys.ts'
import type { Observed } from '../../src/rollout/observe.ts'
import { NO_INTENT } from '../../src/rollout/pauses.ts'
import type { Known } from '../../src/rollout/plan.ts'
import { isFullyPromoted } from '../../src/rollout/progress.ts'
import { planServiceRelease } from '../../src/rollout/service-release.ts'
import { canaryServices, selectedHash } from '../../src/rollout/services.ts'
import { hashOf, isFullyAvailable } from '../../src/rollout/sets.ts'
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
  const isAborted = row['abortAddedInThisReconciliation'] === true && rollout.spec.strategy?.canary !== undefined
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
    status: isAborted ? { ...rollout.status, abort: true } : (rollout.status ?? {}),
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
    if ((row['fail'] as Fields | undefined)?.['getRollout'] !== undefined) return []
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

const ops = (row: Row): readonly string[] => row['ops'] as readonly string[]
const wantsOf = (row: Row): readonly Outcome[] => (row.want as readonly Outcome[]).map(judgedPart)
const nothing = (row: Row): readonly Outcome[] => ops(row).map(() => ({ patches: [] }))

/** The outcome of one switch. */
function switched(service: Service, hash: string): Outcome {
  const old = selectedHash(service)
  const isOurs = service.metadata.annotations?.[MANAGED_BY] !== undefined
  const claim = { metadata: { annotations: { [MANAGED_BY]: 'cart' } } }
  const { name } = service.metadata
  const patch = { ...(isOurs ? {} : claim), spec: { selector: { [HASH_LABEL]: hash } } }
  const message = `Switched selector for service '${name}' from '${old}' to '${hash}'`
  return {
    patches: [{ service: name, patchType: TYPES['strategic'], patch }],
    events: [{ type: 'Normal', reason: 'SwitchService', message }],
  }
}

/** What the reference does, without what it does to one Service. */
function without(name: string, { patches, events = [] }: Outcome): Outcome {
  const kept = events.filter(event => !JSON.stringify(event).includes(`'${name}'`))
  return {
    patches: patches.filter(patch => patch['service'] !== name),
    ...(kept.length > 0 ? { events: kept } : {}),
  }
}

/** After an abort behind a router: the canary Service goes to stable, and only if it is not there. */
function abortedOnce(row: Row, seen: Observed): readonly Outcome[] | undefined {
  const { canary } = seen.spec.strategy ?? {}
  if (!canary?.trafficRouting || canary.pingPong || !seen.status.abort || !ops(row).includes('stableAndCanary'))
    return undefined
  const service = seen.service(canaryServices(seen).canary)
  if (!service || isFullyPromoted(seen.status)) return undefined
  const { name } = service.metadata
  return wantsOf(row).map((want, i) => {
    const isBack = ops(row)[i] === 'trafficRouting' && seen.stableRS
    // Without the way there, the way back begins where the Service was.
    const goesBack = isBack && (!canary.dynamicStableScale || want.patches.length > 0)
    if (goesBack && selectedHash(service) !== hashOf(seen.stableRS!)) return switched(service, hashOf(seen.stableRS!))
    return without(name, want)
  })
}

/** After a blue-green abort: the active Service goes to stable when stable has all its pods. */
function abortedActive(row: Row, seen: Observed): readonly Outcome[] | undefined {
  const { blueGreen } = seen.spec.strategy ?? {}
  const isAborted = seen.status.abort || row['abortAddedInThisReconciliation'] === true
  if (!blueGreen || !isAborted || !ops(row).includes('active')) return undefined
  const service = seen.service(blueGreen.activeService ?? '')
  const { stableRS } = seen
  const isHalted =
    seen.spec.paused || seen.status.pauseConditions?.some(one => one.reason === 'InconclusiveAnalysisRun')
  const hash = stableRS && isFullyAvailable(stableRS) ? hashOf(stableRS) : ''
  return wantsOf(row).map((want, i) => {
    if (ops(row)[i] !== 'active' || !service || isHalted) return want
    return hash !== '' && hash !== selectedHash(service) ? switched(service, hash) : { patches: [] }
  })
}

export const services: Table = {
  name: 'services',
  elsewhere(row) {
    const wants = row.want as readonly Outcome[]
    if (wants.some(({ error }) => error?.includes('not found')))
      return 'a missing Service is refused first: validation-refs'
    if (Object.keys((row['fail'] ?? {}) as Fields).some(key => key !== 'getRollout'))
      return 'failing writes: the fault laws'
    return undefined
  },
  answer: row => ops(row).map(op => outcome(row, answers[op]!(row))),
  want: wantsOf,
  exceptions(row) {
    const [service] = servicesOf(row)
    const isWatched = ops(row).includes('syncService')
    if (isWatched && (row['fail'] as Fields | undefined)?.['getRollout'] !== undefined) {
      return {
        reason: 'a rollout that cannot be read has not gone: the Service keeps its selector',
        want: nothing(row),
      }
    }
    if (isWatched && service?.metadata.annotations?.[MANAGED_BY] === undefined) {
      return { reason: 'the reference removes an annotation that is not there', want: nothing(row) }
    }
    if (isWatched && service?.metadata.annotations?.[MANAGED_BY] === '') {
      return { reason: 'an empty name is no rollout that could have gone', want: nothing(row) }
    }
    if (isWatched) return undefined
    const seen = seenOf(row)
    const { canary, blueGreen } = seen.spec.strategy ?? {}
    const stable = canary?.pingPong && seen.service(canaryServices(seen).stable)
    if (stable && seen.stableRS && selectedHash(stable) !== hashOf(seen.stableRS)) {
      return { reason: 'the Service of the stable side is put right, too' }
    }
    const once = abortedOnce(row, seen)
    if (once) return { reason: 'after an abort the canary Service goes to stable once and stays', want: once }
    const active = abortedActive(row, seen)
    if (active) return { reason: 'what was aborted goes as soon as stable can take its traffic', want: active }
    if (canary?.pingPong && (canary.stableService || canary.canaryService)) {
      return { reason: 'of ping-pong and two Services the pair counts' }
    }
    const live = blueGreen && seen.service(blueGreen.activeService ?? '')
    if (live?.spec?.selector?.[HASH_LABEL] === '') {
      return { reason: 'an empty hash selects no pod: nothing is served, so there is nothing to wait for' }
    }
    return undefined
  },
}
