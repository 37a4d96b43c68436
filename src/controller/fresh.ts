// Read-your-writes for one key at a time: no plan is made on a cache that does not show what we did for that key.
import { type KindRef, type KubeObject, type Millis, type Ref, refOf } from '../contract.ts'
import { unlessNotFound } from '../kube/errors.ts'
import { overlaid, type Tracker, trackedKube } from '../kube/tracker.ts'
import type { Clock, Kube, Lookup } from '../ports.ts'

/** How soon a key whose cache is behind is looked at again. */
const BEHIND: Millis = 100

export type Fresh = Readonly<{ lookup: Lookup } | { recheckAt: Millis }>

export type Freshness = Readonly<{
  /** The door for one key: its writes are remembered under that key. */
  door(key: string): Kube
  /** A lookup that shows all our writes for the key, or when to try again. */
  lookup(key: string): Promise<Fresh>
  forget(key: string): void
}>

/** A lookup that knows which kinds it has. */
type Watching = Lookup & Readonly<{ isWatched(kind: KindRef): boolean }>

export function createFreshness(kube: Kube, tracker: Tracker, cache: Watching, clock: Clock): Freshness {
  const written = new Map<string, Map<string, Ref>>()
  const tracked = trackedKube(kube, tracker)
  const textOf = (ref: Ref) => `${ref.kind} ${ref.namespace ?? ''}/${ref.name}`
  return {
    door: key => ({
      ...tracked,
      async perform(action) {
        const ref = action.verb === 'create' ? refOf(action.object) : action.ref
        // What is never read from the cache, such as Pods, has nothing to catch up with.
        if (!cache.isWatched(ref)) return await kube.perform(action)
        const refs = written.get(key) ?? new Map<string, Ref>()
        written.set(key, refs.set(textOf(ref), ref))
        return await tracked.perform(action)
      },
    }),
    async lookup(key) {
      const refs = written.get(key)
      const live: [Ref, KubeObject | undefined][] = []
      for (const [text, ref] of refs ?? []) {
        const state = tracker.freshness(ref, cache)
        if (state === 'stale') return { recheckAt: clock.now() + BEHIND }
        if (state === 'read') live.push([ref, await tracked.get(ref).catch(unlessNotFound)])
        else refs?.delete(text)
      }
      return { lookup: live.length > 0 ? overlaid(cache, live) : cache }
    },
    forget: key => void written.delete(key),
  }
}
