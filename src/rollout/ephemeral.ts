// Ephemeral metadata: labels and annotations that a version's pods carry as long as it is stable or canary, active or
// preview (argo-behaviour 3.8). They stand in the ReplicaSet's template for pods to come, and on the pods that run.
import type { Pod, ReplicaSet } from '../api/kube.ts'
import { type Action, type KubeObject, refOf, sameJson } from '../contract.ts'
import { EPHEMERAL_METADATA, HASH_LABEL } from './keys.ts'
import type { Observed } from './observe.ts'
import { join, NOTHING, type Part, part } from './part.ts'
import { podsOf } from './pods-of.ts'
import { isFullyPromoted } from './progress.ts'

type Texts = Readonly<Record<string, string>>
type Metadata = Readonly<{ labels?: Texts; annotations?: Texts }>
/** As a manifest or an annotation may give it. */
type Given = { labels?: Texts | null | undefined; annotations?: Texts | null | undefined } | null | undefined
type Patch = Readonly<{
  labels?: Readonly<Record<string, string | null>>
  annotations?: Readonly<Record<string, string | null>>
}>

const FIELDS = ['labels', 'annotations'] as const

/** What the spec gives to pods of the two sides; `undefined`: nothing. */
function configured(
  seen: Pick<Observed, 'spec'>,
): Readonly<{ old: Metadata | undefined; fresh: Metadata | undefined }> {
  const { canary, blueGreen } = seen.spec.strategy ?? {}
  const [old, fresh] = blueGreen
    ? [blueGreen.activeMetadata, blueGreen.previewMetadata]
    : [canary?.stableMetadata, canary?.canaryMetadata]
  return { old: cleaned(old), fresh: cleaned(fresh) }
}

/** Only what says something, in the order in which it is written down. */
function cleaned(metadata: Given): Metadata | undefined {
  const kept = FIELDS.flatMap(field => {
    const texts = metadata?.[field]
    return texts && Object.keys(texts).length > 0 ? [[field, sorted(texts)] as const] : []
  })
  return kept.length > 0 ? (Object.fromEntries(kept) as Metadata) : undefined
}

/** Keys in order, as Go prints maps. */
const sorted = (texts: Texts): Texts =>
  Object.fromEntries(Object.entries(texts).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))

/** What was injected into this set earlier; nothing when its annotation is absent or broken. */
function injected(rs: ReplicaSet): Metadata | undefined {
  const text = rs.metadata.annotations?.[EPHEMERAL_METADATA]
  if (!text) return undefined
  try {
    return cleaned(JSON.parse(text) as Given)
  } catch {
    return undefined // somebody broke it: then nothing is known to be ours
  }
}

/** What the pods of a set should carry now. argo: with nothing stable yet, the new set is the stable one. */
function wantedFor(seen: Observed, rs: ReplicaSet): Metadata | undefined {
  const { old, fresh } = configured(seen)
  if (rs === seen.newRS) return isFullyPromoted(seen.status) || !seen.stableRS ? old : fresh
  return rs === seen.stableRS ? old : undefined
}

/** For a set that is about to be created: its annotation, and the metadata that its template gets on top. */
export function ephemeralOfNew(seen: Observed): Readonly<{ annotations: Texts; template: Metadata }> {
  const { old, fresh } = configured(seen)
  const wanted = seen.stableRS ? fresh : old
  return { annotations: wanted ? { [EPHEMERAL_METADATA]: JSON.stringify(wanted) } : {}, template: wanted ?? {} }
}

/** The sets whose pods carry something else than they should. */
const unsynced = (seen: Observed): readonly ReplicaSet[] =>
  seen.allRSs.filter(rs => !sameJson(injected(rs) ?? {}, wantedFor(seen, rs) ?? {}))

/** Will this pass write to pods? Then the reading needs them. */
export const needsMetadata = (seen: Observed): boolean => unsynced(seen).length > 0

/** First the templates, so that pods made meanwhile are right from the start; then the pods; the annotation that says
 * "done" last: whoever dies in between does it again. Only keys that we put there are taken away. */
export function planEphemeral(seen: Observed): Part {
  return unsynced(seen).length === 0 ? NOTHING : join(...unsynced(seen).map(rs => sync(seen, rs)))
}

function sync(seen: Observed, rs: ReplicaSet): Part {
  const [before, after] = [injected(rs) ?? {}, wantedFor(seen, rs) ?? {}]
  const text = JSON.stringify(after)
  const why = text === '{}' ? 'it is neither stable nor candidate any more' : `its role gives its pods ${text}`
  const merge = (object: KubeObject, patch: unknown): Action => ({
    verb: 'patch',
    ref: refOf(object),
    type: 'merge',
    patch,
    why,
  })
  const template = changes(rs.spec.template?.metadata, before, after)
  const note = { annotations: { [EPHEMERAL_METADATA]: text === '{}' ? null : text } }
  const pods = podsOf(seen, rs).filter(pod => pod.metadata.deletionTimestamp === undefined)
  const stale = pods.flatMap(pod => {
    const patch = changes(pod.metadata, before, after)
    return patch ? [merge(pod as Pod & KubeObject, { metadata: { uid: pod.metadata.uid, ...patch } })] : []
  })
  const spec = template ? { spec: { template: { metadata: template } } } : {}
  const actions =
    stale.length === 0
      ? [merge(rs, { metadata: note, ...spec })]
      : [...(template ? [merge(rs, spec)] : []), ...stale, merge(rs, { metadata: note })]
  return part({ actions, because: [why] })
}

/** The patch that takes `before` out of live metadata and puts `after` in; undefined: nothing to do. */
function changes(live: Metadata | null | undefined, before: Metadata, after: Metadata): Patch | undefined {
  const parts = FIELDS.flatMap(field => {
    const have = live?.[field] ?? {}
    const gone = Object.keys(before[field] ?? {}).filter(
      key => key in have && !(key in (after[field] ?? {})) && key !== HASH_LABEL,
    )
    const set = Object.entries(after[field] ?? {}).filter(([key, value]) => have[key] !== value && key !== HASH_LABEL)
    const patch = Object.fromEntries([...gone.map(key => [key, null] as const), ...set])
    return Object.keys(patch).length > 0 ? [[field, patch] as const] : []
  })
  return parts.length > 0 ? (Object.fromEntries(parts) as Patch) : undefined
}
