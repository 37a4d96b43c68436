// Guards against planning on a cache that does not yet show our own last writes.
import type { KubeObject, Millis, Ref } from '../contract.ts'
import type { Clock, Kube, Lookup } from '../ports.ts'
import { type Change, controllerUid } from './change.ts'
import { AmbiguousError, isNotFound } from './errors.ts'
import { compareVersions } from './versions.ts'

/** `fresh`: plan on the cache. `stale`: wait for it, 100 ms or so. `read`: the cache has been behind for too long, or a
 * write's outcome is unknown; read the object live, tell `confirm`, and plan on what was read. */
export type Freshness = 'fresh' | 'stale' | 'read'

export type Tracker = Readonly<{
  /** Our write was answered with this object. */
  remember(object: KubeObject): void
  /** We deleted it, or it is known to be gone. */
  forget(ref: Ref): void
  /** Our write's outcome is unknown. */
  doubt(ref: Ref): void
  /** A live read answered this; undefined: it does not exist. */
  confirm(ref: Ref, object: KubeObject | undefined): void
  /** The cache has changed; entries that it has caught up with are dropped. For `onChange`. */
  saw(change: Change): void
  freshness(ref: Ref, lookup: Lookup): Freshness
  /** True unless the cache may be planned on. */
  isStale(ref: Ref, lookup: Lookup): boolean
  size(): number
}>

/** How long the cache may be behind before a live read is due. */
const PATIENCE: Millis = 5000

type Entry = Readonly<{ version: string | undefined; uid: string | undefined; since: Millis; isDoubtful: boolean }>

const textOf = ({ apiVersion, kind, namespace, name }: Ref): string =>
  `${apiVersion.split('/')[0]} ${kind} ${namespace ?? ''}/${name}`

const refTo = (object: KubeObject): Ref => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
})

export function createTracker({ clock }: Readonly<{ clock: Clock }>): Tracker {
  const entries = new Map<string, Entry>()

  const remember = (object: KubeObject) => {
    const { resourceVersion: version, uid } = object.metadata
    if (!version) return
    const text = textOf(refTo(object))
    const known = entries.get(text)
    if (known && !known.isDoubtful && compareVersions(known.version, version) >= 0) return
    entries.set(text, { version, uid, since: clock.now(), isDoubtful: false })
  }

  const freshness = (ref: Ref, lookup: Lookup): Freshness => {
    const text = textOf(ref)
    const entry = entries.get(text)
    if (!entry) return 'fresh'
    if (entry.isDoubtful) return 'read'
    const cached = lookup.get(ref)
    if (cached && compareVersions(cached.metadata.resourceVersion, entry.version) >= 0) {
      entries.delete(text)
      return 'fresh'
    }
    return clock.now() - entry.since >= PATIENCE ? 'read' : 'stale'
  }

  return {
    remember,
    freshness,
    isStale: (ref, lookup) => freshness(ref, lookup) !== 'fresh',
    forget: ref => void entries.delete(textOf(ref)),
    doubt(ref) {
      entries.set(textOf(ref), { version: undefined, uid: undefined, since: clock.now(), isDoubtful: true })
    },
    confirm(ref, object) {
      // What a live read has shown may not be unseen either: the cache has to come as far.
      entries.delete(textOf(ref))
      if (object) remember(object)
    },
    saw({ type, object }) {
      const text = textOf(refTo(object))
      const entry = entries.get(text)
      if (!entry || entry.isDoubtful) return
      const isReached = compareVersions(object.metadata.resourceVersion, entry.version) >= 0
      if (isReached || (type === 'DELETED' && object.metadata.uid === entry.uid)) entries.delete(text)
    },
    size: () => entries.size,
  }
}

/** A door that tells the tracker of every write, and of every live read of a single object. */
export const trackedKube = (kube: Kube, tracker: Tracker): Kube => ({
  list: (kind, options) => kube.list(kind, options),

  async get(ref) {
    try {
      const object = await kube.get(ref)
      tracker.confirm(ref, object)
      return object
    } catch (error) {
      if (isNotFound(error)) tracker.confirm(ref, undefined)
      throw error
    }
  },

  async perform(action) {
    const ref = action.verb === 'create' ? refTo(action.object) : action.ref
    try {
      const object = await kube.perform(action)
      // The answer of a scale patch is a Scale: it carries the version of the object behind it.
      if (object) tracker.remember({ ...object, apiVersion: ref.apiVersion, kind: ref.kind })
      else if (action.verb === 'delete') tracker.forget(ref)
      return object
    } catch (error) {
      if (error instanceof AmbiguousError && ref.name) tracker.doubt(ref)
      throw error
    }
  },
})

/** A lookup in which some objects are as a live read showed them; undefined hides what the cache still shows. */
export function overlaid(lookup: Lookup, live: readonly (readonly [Ref, KubeObject | undefined])[]): Lookup {
  const known = new Map(live.map(([ref, object]) => [textOf(ref), object]))
  const merge = (cached: readonly KubeObject[], fits: (object: KubeObject) => boolean): readonly KubeObject[] => [
    ...cached.filter(object => !known.has(textOf(refTo(object)))),
    ...[...known.values()].filter(object => object !== undefined).filter(fits),
  ]
  return {
    get: ref => (known.has(textOf(ref)) ? known.get(textOf(ref)) : lookup.get(ref)),
    list: (kind, namespace) =>
      merge(
        lookup.list(kind, namespace),
        object =>
          object.kind === kind.kind &&
          object.apiVersion === kind.apiVersion &&
          (namespace === '' || object.metadata.namespace === namespace),
      ),
    ownedBy: (kind, uid) =>
      merge(
        lookup.ownedBy(kind, uid),
        object => object.kind === kind.kind && object.apiVersion === kind.apiVersion && controllerUid(object) === uid,
      ),
  }
}
