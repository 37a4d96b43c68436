// The local copy of one collection: takes lists and watch events, never goes back in time, tells what changed.
import type { KubeObject } from '../contract.ts'
import { type Change, keyOf } from './change.ts'
import { compareVersions } from './versions.ts'
import type { WatchEvent } from './watch.ts'

/** The server's answers contradict what it said before; only a new list can tell. */
export class RelistError extends Error {}

export type Mirror = Readonly<{
  objects: ReadonlyMap<string, KubeObject>
  /** Version to resume from; undefined: a list is needed. */
  version(): string | undefined
  /** Forgets the version, so that the next thing is a list. */
  expire(): void
  /** Replaces everything by a complete list and tells the differences. True when the list is older than what was
   * seen before: the server was restored from a backup. */
  swap(fresh: ReadonlyMap<string, KubeObject>, version: string): boolean
  /** Takes a watch event; duplicates and older ones change nothing. Raises RelistError. */
  apply(event: WatchEvent): void
}>

/** Makes an empty copy. `sink` hears each change synchronously and must not throw; objects are stored as given. */
export function createMirror(sink: (change: Change) => void): Mirror {
  const objects = new Map<string, KubeObject>()
  let version: string | undefined
  let highest = ''

  const drop = (key: string, last: KubeObject) => {
    const previous = objects.get(key)
    objects.delete(key)
    sink({ type: 'DELETED', object: last, ...(previous && { previous }) })
  }

  const put = (object: KubeObject) => {
    const key = keyOf(object)
    const previous = objects.get(key)
    const isSame = previous?.metadata.uid === object.metadata.uid
    // Same name, other uid: the old one was deleted while nobody looked, and whoever counts on it must hear so.
    if (previous && !isSame) drop(key, previous)
    objects.set(key, object)
    sink(previous && isSame ? { type: 'MODIFIED', object, previous } : { type: 'ADDED', object })
  }

  const move = (to: string) => {
    version = to
    if (compareVersions(to, highest) > 0) highest = to
  }

  return {
    objects,
    version: () => version,
    expire() {
      version = undefined
    },

    swap(fresh, at) {
      const isRestored = compareVersions(at, highest) < 0
      for (const [key, old] of [...objects]) if (!fresh.has(key)) drop(key, old)
      for (const [key, object] of fresh) {
        const old = objects.get(key)
        const order = compareVersions(object.metadata.resourceVersion, old?.metadata.resourceVersion)
        const isOther = old?.metadata.uid !== object.metadata.uid
        if (!old || isOther || (isRestored ? order !== 0 : order > 0)) put(object)
      }
      version = at
      highest = at
      return isRestored
    },

    apply({ type, object }) {
      const at = object.metadata.resourceVersion ?? ''
      const order = compareVersions(at, version)
      if (type === 'BOOKMARK') {
        if (order < 0) throw new RelistError('a bookmark went back in version')
        return move(at)
      }
      if (type === 'DELETED') {
        // A uid never comes back, so its deletion is true whatever the version says.
        const previous = objects.get(keyOf(object))
        if (previous && previous.metadata.uid === object.metadata.uid) drop(keyOf(object), object)
      } else if (order > 0) put(object)
      if (order > 0) move(at)
    },
  }
}
