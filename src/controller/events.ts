// Kubernetes Events: written in the background, repetitions counted, never in the way of a reconcile.
import type { EventNote, KubeObject } from '../contract.ts'
import type { Clock, Kube, Log } from '../ports.ts'

export type Recorder = Readonly<{
  record(about: KubeObject, event: EventNote): void
  /** Resolves when everything recorded so far has been written or given up. */
  flush(): Promise<void>
}>

/** Events waiting to be written; beyond this the newest are dropped and logged. */
const MAX_WAITING = 20_000
/** Objects whose events are written at the same time; those of one object keep their order. */
const LANES = 8
/** Event objects that are remembered for counting repetitions. */
const MAX_KNOWN = 10_000
/** Repetitions are counted on one Event object for this long. */
const MEMORY = 10 * 60_000

const stamp = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')

/** The same lane for all events of an object. */
function laneOf({ metadata }: KubeObject): number {
  const key = metadata.uid ?? metadata.name
  let sum = 0
  for (let i = 0; i < key.length; i += 1) sum = (sum * 31 + key.charCodeAt(i)) % 65_521
  return sum % LANES
}

type Seen = { name: string; namespace: string; count: number; first: string; last: number }

/** A recorder whose events carry `component` as their source. */
export function createRecorder(kube: Kube, clock: Clock, log: Log, component = 'rollouts-controller'): Recorder {
  const known = new Map<string, Seen>()
  let waiting = 0
  let serial = 0
  const lanes: Promise<void>[] = Array.from({ length: LANES }, () => Promise.resolve())

  const write = async (about: KubeObject, note: EventNote): Promise<void> => {
    const { uid = '', name, namespace = 'default', resourceVersion } = about.metadata
    const key = [uid, note.type, note.reason, note.message].join('\n')
    const now = clock.now()
    const before = known.get(key)
    if (before && now - before.last < MEMORY) {
      const count = before.count + 1
      known.set(key, { ...before, count, last: now })
      const ref = { apiVersion: 'v1', kind: 'Event', namespace: before.namespace, name: before.name }
      await kube.perform({
        verb: 'patch',
        ref,
        type: 'merge',
        patch: { count, lastTimestamp: stamp(now) },
        why: note.reason,
      })
      return
    }
    serial += 1
    const event = `${name}.${(now * 1000 + (serial % 1000)).toString(16)}`
    const time = stamp(now)
    known.set(key, { name: event, namespace, count: 1, first: time, last: now })
    if (known.size > MAX_KNOWN) known.delete(known.keys().next().value ?? '')
    const involvedObject = { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid, resourceVersion }
    const object = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: event, namespace },
      involvedObject,
      ...note,
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    }
    await kube.perform({ verb: 'create', object, why: note.reason })
  }

  return {
    record(about, note) {
      if (waiting >= MAX_WAITING) {
        log.warn({ reason: note.reason, on: about.metadata.name }, 'too many events wait, this one is dropped')
        return
      }
      waiting += 1
      const lane = laneOf(about)
      lanes[lane] = lanes[lane]!.then(() => write(about, note))
        .catch((error: unknown) => log.debug({ error: String(error), reason: note.reason }, 'event not written'))
        .finally(() => {
          waiting -= 1
        })
    },
    flush: async () => void (await Promise.all(lanes)),
  }
}
