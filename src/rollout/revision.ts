// The ReplicaSet of the wanted template: created, adopted, numbered, kept in step with the rollout; old ones forgotten.
import type { ReplicaSet } from '../api/kube.ts'
import { type Action, type Millis, refOf } from '../contract.ts'
import { outdatedAffinity, wantedAffinity } from './anti-affinity.ts'
import { created, findCondition, found, setCondition } from './conditions.ts'
import { ephemeralOfNew } from './ephemeral.ts'
import { DESIRED_REPLICAS, HASH_LABEL, LAST_APPLIED, NOTIFIED, REVISION, REVISION_HISTORY } from './keys.ts'
import type { Observed } from './observe.ts'
import { join, NOTHING, normal, type Part, part, timestamp } from './part.ts'
import type { Plan } from './plan.ts'
import { byCreation, hashOf, revisionOf, specReplicas, statusReplicas } from './sets.ts'

type Texts = Readonly<Record<string, string>>
type Metadata = Readonly<{ labels?: Texts; annotations?: Texts }>

const OWN = new Set([LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED_REPLICAS, NOTIFIED])

const copiedAnnotations = (seen: Observed): Record<string, string> =>
  Object.fromEntries(Object.entries(seen.rollout.metadata.annotations ?? {}).filter(([key]) => !OWN.has(key)))

const nextRevision = (seen: Observed): number => Math.max(0, ...seen.olderRSs.map(revisionOf)) + 1

/** The revision that the wanted template has after this pass: an old template that is wanted again is renumbered. */
export function currentRevision(seen: Observed): number {
  if (!seen.newRS) return revisionOf(seen.rollout)
  return Math.max(revisionOf(seen.newRS), nextRevision(seen))
}

/** The rollout as controlling owner of what it creates. */
export const ownerOf = (seen: Observed) => ({
  apiVersion: seen.rollout.apiVersion,
  kind: seen.rollout.kind,
  name: seen.rollout.metadata.name,
  uid: seen.rollout.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

/** The ReplicaSet of the wanted template, sized 0: it is scaled in a later pass. */
export function desiredReplicaSet(seen: Observed): ReplicaSet {
  const { rollout, template, selector, hash } = seen
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash }
  const ephemeral = ephemeralOfNew(seen)
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${rollout.metadata.name}-${hash}`,
      namespace: rollout.metadata.namespace ?? '',
      labels,
      annotations: {
        ...copiedAnnotations(seen),
        [REVISION]: `${nextRevision(seen)}`,
        [DESIRED_REPLICAS]: `${seen.replicas}`,
        ...ephemeral.annotations,
      },
      ownerReferences: [ownerOf(seen)],
    },
    spec: {
      replicas: 0,
      ...(seen.spec.minReadySeconds ? { minReadySeconds: seen.spec.minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [HASH_LABEL]: hash } },
      template: {
        ...template,
        spec: withAffinity(seen, template.spec),
        metadata: withMetadata({ ...template.metadata, labels }, ephemeral.template),
      },
    },
  }
}

function withAffinity<Spec extends Readonly<{ affinity?: unknown }>>(
  seen: Observed,
  spec: Spec | undefined,
): Spec | undefined {
  const affinity = spec && wantedAffinity(seen, spec.affinity)
  return affinity ? { ...spec, affinity } : spec
}

/** Template metadata with labels and annotations on top. */
const withMetadata = (metadata: Metadata, added: Metadata): Metadata => ({
  ...metadata,
  ...(added.labels ? { labels: { ...metadata.labels, ...added.labels } } : {}),
  ...(added.annotations ? { annotations: { ...metadata.annotations, ...added.annotations } } : {}),
})

/** A set that somebody deleted comes back with its number. */
function numberRollout({ rollout }: Observed, revision: string): readonly Action[] {
  if (rollout.metadata.annotations?.[REVISION] === revision) return []
  return [
    {
      verb: 'patch',
      ref: refOf(rollout),
      type: 'merge',
      patch: { metadata: { annotations: { [REVISION]: revision } } },
      why: `the wanted template is revision ${revision}`,
      event: normal('RolloutUpdated', `Rollout updated to revision ${revision}`),
    },
  ]
}

/** A template without a ReplicaSet: create it, number the rollout, and let the next pass go on. */
export function planNewReplicaSet(seen: Observed, now: Millis): Plan {
  const rs = desiredReplicaSet(seen)
  const { name } = rs.metadata
  const revision = `${nextRevision(seen)}`
  const why = `no ReplicaSet has the wanted template (hash ${seen.hash})`
  const conditions = setCondition(seen.status.conditions ?? [], created(name), now)
  return {
    ...part({
      actions: [{ verb: 'create', object: rs, why }, ...numberRollout(seen, revision)],
      events: [normal('NewReplicaSetCreated', `Created ReplicaSet ${name} (revision ${revision})`)],
      because: [why],
    }),
    status: {
      ...seen.status,
      conditions: [...conditions],
      blueGreen: { ...seen.status.blueGreen },
      canary: { ...seen.status.canary },
    },
  }
}

/** The same reading, had the pass before created the ReplicaSet of the wanted template. */
export function withNewReplicaSet(seen: Observed, now: Millis): Observed {
  const wanted = desiredReplicaSet(seen)
  const newRS = { ...wanted, metadata: { ...wanted.metadata, creationTimestamp: timestamp(now) } }
  const { metadata } = seen.rollout
  const annotations = { ...metadata.annotations, [REVISION]: `${nextRevision(seen)}` }
  return {
    ...seen,
    rollout: { ...seen.rollout, metadata: { ...metadata, annotations } },
    newRS,
    allRSs: [...seen.allRSs, newRS],
  }
}

/** The new ReplicaSet takes over the rollout's annotations, the highest revision number and minReadySeconds.
 * Only a new number goes into the history, not every copied annotation as in argo (a deliberate difference). */
export function planRevision(seen: Observed): Part {
  const { newRS } = seen
  if (!newRS) return NOTHING
  const have = newRS.metadata.annotations ?? {}
  const annotations: Record<string, string> = {}
  for (const [key, value] of Object.entries(copiedAnnotations(seen))) if (have[key] !== value) annotations[key] = value
  const next = nextRevision(seen)
  if (revisionOf(newRS) < next) {
    annotations[REVISION] = `${next}`
    const before = have[REVISION]
    if (before) annotations[REVISION_HISTORY] = have[REVISION_HISTORY] ? `${have[REVISION_HISTORY]},${before}` : before
  }
  const minReady = seen.spec.minReadySeconds ?? 0
  const affinity = outdatedAffinity(seen, newRS)
  const changes = {
    ...((newRS.spec.minReadySeconds ?? 0) === minReady ? {} : { minReadySeconds: minReady }),
    ...(affinity ? { template: { spec: { affinity } } } : {}),
  }
  const spec = Object.keys(changes).length > 0 ? changes : undefined
  const revision = annotations[REVISION] ?? have[REVISION] ?? ''
  const actions: Action[] = []
  if (spec || Object.keys(annotations).length > 0) {
    const metadata = Object.keys(annotations).length > 0 ? { metadata: { annotations } } : {}
    const why = annotations[REVISION]
      ? `the old template is wanted again, as revision ${revision}`
      : 'the rollout says so'
    actions.push({
      verb: 'patch',
      ref: refOf(newRS),
      type: 'merge',
      patch: { ...metadata, ...(spec ? { spec } : {}) },
      why,
    })
  }
  if (revision !== '') actions.push(...numberRollout(seen, revision))
  return part({ actions })
}

/** An existing ReplicaSet serves, but nothing was recorded yet: progress starts to be told. */
export function foundCondition(seen: Observed, now: Millis) {
  const list = seen.status.conditions ?? []
  if (!seen.newRS || findCondition(list, 'Progressing')) return undefined
  return setCondition(list, found(seen.newRS.metadata.name), now)
}

/** Old ReplicaSets beyond revisionHistoryLimit go, oldest first. One that still has pods is skipped, and not
 * replaced by a younger one (argo). The runs of a forgotten revision go with it by owner reference or hash. */
export function planHistory(seen: Observed): Part {
  const limit = seen.spec.revisionHistoryLimit ?? 10
  const old = seen.otherRSs.filter(rs => rs.metadata.deletionTimestamp === undefined).toSorted(byCreation)
  const surplus = old.slice(0, Math.max(0, old.length - limit))
  return join(
    ...surplus.filter(isIdle).map(rs =>
      part({
        actions: [
          {
            verb: 'delete',
            ref: refOf(rs),
            ...(rs.metadata.uid ? { uid: rs.metadata.uid } : {}),
            propagation: 'Background',
            why: `revision ${revisionOf(rs)} is beyond revisionHistoryLimit ${limit}`,
          },
        ],
        because: [`forgets revision ${revisionOf(rs)} (${hashOf(rs)})`],
      }),
    ),
  )
}

const isIdle = (rs: ReplicaSet): boolean =>
  statusReplicas(rs) === 0 &&
  specReplicas(rs) === 0 &&
  (rs.metadata.generation ?? 0) <= ((rs.status?.observedGeneration as number | undefined) ?? 0)

/** Adopts matching ReplicaSets without a controller, releases owned ones that no longer match. */
export function planClaims(seen: Observed): Part {
  const adopt = seen.orphanRSs.map(
    (rs): Action => ({
      verb: 'patch',
      ref: refOf(rs),
      type: 'merge',
      patch: {
        metadata: { uid: rs.metadata.uid, ownerReferences: [...(rs.metadata.ownerReferences ?? []), ownerOf(seen)] },
      },
      why: 'it matches the selector and nobody controls it',
    }),
  )
  const release = seen.strayRSs.map(
    (rs): Action => ({
      verb: 'patch',
      ref: refOf(rs),
      type: 'merge',
      patch: {
        metadata: {
          uid: rs.metadata.uid,
          ownerReferences:
            rs.metadata.ownerReferences?.filter(owner => owner.uid !== seen.rollout.metadata.uid) ?? null,
        },
      },
      why: 'it no longer matches the selector',
    }),
  )
  return part({ actions: [...adopt, ...release] })
}
