// Kubernetes Events: written in the background, repetitions counted, never in the way of a reconcile.
import type { EventNote, KubeObject, Millis } from '../contract.ts'
import { ApiError, isAlreadyExists, isNotFound } from '../kube/errors.ts'
import { sleep } from '../kube/sleep.ts'
import type { Clock, Kube, Log } from '../ports.ts'

export type Recorder = Readonly<{
  record(about: KubeObject, event: EventNote): void
  /** Resolves when everything recorded so far has been written or given up; what is left after `grace` is dropped and
   * counted in the log. Nothing is written afterwards. */
  stop(grace: Millis): Promise<void>
}>

/** Events waiting to be written; beyond this the newest are dropped and logged. */
const MAX_WAITING = 20_000
/** Objects whose events are written at the same time; those of one object keep their order. */
const LANES = 8
/** Event objects that are remembered for counting repetitions. */
const MAX_KNOWN = 10_000
/** Repetitions are counted on one Event object for this long. */
const MEMORY: Millis = 10 * 60_000
/** While the API server is away an event is tried so often, so far apart. client-go's recorder does the same. */
const TRIES = 12
const PAUSE: Millis = 10_000

const stamp = (at: Millis): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')

/** What an event needs of its object, so that no whole object is held while it waits. */
type About = Readonly<{
  apiVersion: string
  kind: string
  namespace: string
  name: string
  uid: string
  resourceVersion: string | undefined
}>

const aboutOf = ({ apiVersion, kind, metadata }: KubeObject): About => {
  const { uid = '', name, namespace = 'default', resourceVersion } = metadata
  return { apiVersion, kind, namespace, name, uid, resourceVersion }
}

/** The same lane for all events of an object. */
function laneOf({ uid, name }: About): number {
  const key = uid || name
  let sum = 0
  for (let i = 0; i < key.length; i += 1) sum = (sum * 31 + key.charCodeAt(i)) % 65_521
  return sum % LANES
}

/** An Event object that was written. */
type Seen = Readonly<{ name: string; namespace: string; count: number; last: Millis }>

/** The server was not reached, or has a trouble of its own. */
const isTransient = (error: unknown): boolean => !(error instanceof ApiError) || error.code >= 500

/** A recorder whose events carry `component` as their source, and the time at which they were recorded. */
export function createRecorder(kube: Kube, clock: Clock, log: Log, component = 'rollouts-controller'): Recorder {
  const known = new Map<string, Seen>()
  const ending = new AbortController()
  let isOver = false
  let waiting = 0
  let serial = 0
  const lanes: Promise<void>[] = Array.from({ length: LANES }, () => Promise.resolve())

  const count = async ({ name, namespace, count: before }: Seen, note: EventNote, at: Millis): Promise<Seen> => {
    const seen = { name, namespace, count: before + 1, last: at }
    const ref = { apiVersion: 'v1', kind: 'Event', namespace, name }
    const patch = { count: seen.count, lastTimestamp: stamp(at) }
    await kube.perform({ verb: 'patch', ref, type: 'merge', patch, why: note.reason })
    return seen
  }

  const create = async (involvedObject: About, note: EventNote, at: Millis, name: string): Promise<Seen> => {
    const { namespace } = involvedObject
    const time = stamp(at)
    const object = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject,
      ...note,
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    }
    // It is there already when the answer to an earlier try was lost.
    await kube.perform({ verb: 'create', object, why: note.reason }).catch(error => {
      if (!isAlreadyExists(error)) throw error
    })
    return { name, namespace, count: 1, last: at }
  }

  const write = async (about: About, note: EventNote, at: Millis, name: string): Promise<void> => {
    const key = [about.uid, note.type, note.reason, note.message].join('\n')
    const before = known.get(key)
    const isKnown = before !== undefined && at - before.last < MEMORY
    const seen = isKnown
      ? await count(before, note, at).catch(error => {
          // Events are cleared away by the server and by people.
          if (!isNotFound(error)) throw error
          return create(about, note, at, name)
        })
      : await create(about, note, at, name)
    known.delete(key)
    known.set(key, seen)
    if (known.size > MAX_KNOWN) known.delete(known.keys().next().value ?? '')
  }

  const persist = async (about: About, note: EventNote, at: Millis, name: string): Promise<void> => {
    for (let tries = 1; !isOver; tries += 1)
      try {
        return await write(about, note, at, name)
      } catch (error) {
        if (!isTransient(error) || tries === TRIES || ending.signal.aborted) {
          log.debug({ error: String(error), reason: note.reason }, 'event not written')
          return
        }
        await sleep(clock, PAUSE, ending.signal)
      }
  }

  return {
    record(object, note) {
      if (waiting >= MAX_WAITING) {
        log.warn({ reason: note.reason, on: object.metadata.name }, 'too many events wait, this one is dropped')
        return
      }
      waiting += 1
      serial += 1
      const about = aboutOf(object)
      const at = clock.now()
      const name = `${about.name}.${(at * 1000 + (serial % 1000)).toString(16)}`
      const lane = laneOf(about)
      lanes[lane] = lanes[lane]!.then(() => persist(about, note, at, name)).finally(() => {
        waiting -= 1
      })
    },
    async stop(grace) {
      ending.abort()
      await Promise.race([Promise.all(lanes), sleep(clock, grace)])
      isOver = true
      if (waiting > 0) log.warn({ events: waiting }, 'stopped before these events were written')
    },
  }
}
