// Keeps a copy of one collection: lists, watches, resumes, and tells a sink what has changed.
import type { KindRef, KubeObject, Millis } from '../contract.ts'
import type { ApiRequest, Clock, Log, Random, Transport } from '../ports.ts'
import { createBackoff, WATCH_BACKOFF } from './backoff.ts'
import { type Change, keyOf } from './change.ts'
import { createDiscovery, type Resolve } from './discovery.ts'
import { ApiError, isGone, isNotFound, isTooLargeVersion } from './errors.ts'
import { listAll } from './list.ts'
import { createMirror, RelistError } from './mirror.ts'
import { pathOf } from './resources.ts'
import { sleep } from './sleep.ts'
import { deepFrozen, sharing, trimmed } from './trim.ts'
import { readWatch, SilenceError, type WatchEvent } from './watch.ts'

export type Selection = Readonly<{ namespace?: string; labelSelector?: string; fieldSelector?: string }>

/** What has been learnt of a server; shared by its reflectors. */
export type ServerTraits = { streaming: boolean }

export type ReflectorOptions = Selection &
  Readonly<{
    transport: Transport
    kind: KindRef
    clock: Clock
    random: Random
    log: Log
    /** Called in order, synchronously. What it throws is logged and changes nothing here. */
    sink: (change: Change) => void
    /** Runs on each object before it is kept; the result is frozen. Drops managed fields unless told otherwise. */
    transform?: (object: KubeObject) => KubeObject
    resolve?: Resolve
    traits?: ServerTraits
    onSynced?: () => void
  }>

export type ReflectorHealth = Selection &
  Readonly<{
    kind: KindRef
    synced: boolean
    objects: number
    /** Resource version of the last event or list. */
    version: string | undefined
    /** Clock times in milliseconds. */
    lastSync: Millis | undefined
    lastHeard: Millis | undefined
    lists: number
    failures: number
    /** Why it is not following right now. */
    problem: string | undefined
  }>

export type Reflector = Readonly<{
  objects: ReadonlyMap<string, KubeObject>
  isSynced(): boolean
  health(): ReflectorHealth
  /** Forgets the version and lists anew. */
  relist(): void
  /** Resolves once the connection is closed and nothing more will be told. */
  stop(): Promise<void>
}>

/** No byte for so long means a dead connection; bookmarks come about once a minute. */
const SILENCE: Millis = 150_000
/** A server that knows streaming lists ends one within so long of its last object. */
const LIST_SILENCE: Millis = 10_000
const LIST_LIMIT: Millis = 60_000
/** A watch that ends sooner without an event counts as a failure. */
const SHORT: Millis = 1000
/** How often to look whether a kind that is not installed has come. */
const ABSENT: Millis = 30_000

/** The server ended a streaming list before its end. */
class CutListError extends Error {}

/** Starts following a collection; see ReflectorOptions. Never rejects: it goes on until stopped. */
export function startReflector(options: ReflectorOptions): Reflector {
  const { transport, kind, namespace, labelSelector, fieldSelector, clock, random, log, sink } = options
  const { transform = trimmed, resolve = createDiscovery(transport), traits = { streaming: true } } = options
  const backoff = createBackoff(WATCH_BACKOFF, random)
  const stopping = new AbortController()
  const about = { kind: kind.kind, ns: namespace }
  let connection = new AbortController()
  let synced = false
  let streaming = true
  let silences = 0
  let lists = 0
  let lastSync: Millis | undefined
  let lastHeard: Millis | undefined
  let problem: string | undefined

  const keep = (object: KubeObject, known?: ReadonlyMap<string, KubeObject>): KubeObject => {
    try {
      return deepFrozen(sharing(known?.get(keyOf(object)), transform(object)))
    } catch (error) {
      log.error({ ...about, error }, 'a transform failed; the object is kept as it came')
      return deepFrozen(object)
    }
  }

  const mirror = createMirror(change => {
    try {
      sink(change)
    } catch (error) {
      log.error({ ...about, error }, 'a cache listener failed')
    }
  })

  const swap = (fresh: ReadonlyMap<string, KubeObject>, at: string) => {
    if (mirror.swap(fresh, at)) log.warn({ ...about, version: at }, 'the API server went back in time')
    lists += 1
    problem = undefined
    silences = 0
    lastSync = clock.now()
    if (synced) return
    synced = true
    options.onSynced?.()
  }

  const selectors = { labelSelector, fieldSelector }

  const request = (path: string, query: ApiRequest['query']): ApiRequest => ({
    method: 'GET',
    path,
    query: {
      ...selectors,
      watch: true,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(300 + 300 * random()),
      ...query,
    },
  })

  /** One connection. `fresh` collects a streaming list, which then goes on as the watch. */
  const follow = async (path: string, fresh: Map<string, KubeObject> | undefined) => {
    const began = clock.now()
    let events = 0
    let listing = fresh
    const query = fresh
      ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
      : { resourceVersion: mirror.version() }
    const onEvent = (event: WatchEvent) => {
      events += 1
      lastHeard = clock.now()
      silences = 0
      if (!listing)
        return mirror.apply(
          event.type === 'BOOKMARK' ? event : { ...event, object: keep(event.object, mirror.objects) },
        )
      if (clock.now() - began > LIST_LIMIT) throw new SilenceError(LIST_LIMIT)
      const { object } = event
      if (event.type === 'DELETED') listing.delete(keyOf(object))
      else if (event.type !== 'BOOKMARK') listing.set(keyOf(object), keep(object))
      else if (object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true') {
        const complete = listing
        listing = undefined
        swap(complete, object.metadata.resourceVersion ?? '')
      }
    }
    const ports = {
      transport,
      clock,
      signal: connection.signal,
      patience: () => (listing ? LIST_SILENCE : SILENCE),
      onOpen: () => {
        if (!listing) problem = undefined
      },
    }
    await readWatch(ports, request(path, query), onEvent)
    if (listing) throw new CutListError('the stream ended before its list did')
    if (events === 0 && clock.now() - began < SHORT) throw new Error('the watch ended at once')
  }

  const list = async (path: string) => {
    // The newest state, never version 0: an API server that lags could take us back behind our own writes.
    const options = { ...selectors, map: keep, signal: connection.signal }
    const listed = await listAll(transport, path, options)
    swap(new Map(listed.items.map(object => [keyOf(object), object])), listed.resourceVersion)
  }

  const step = async () => {
    const path = pathOf(await resolve(kind), namespace)
    if (mirror.version() !== undefined) return follow(path, undefined)
    if (!streaming || !traits.streaming) return list(path)
    try {
      await follow(path, new Map())
    } catch (error) {
      if (mirror.version() !== undefined || connection.signal.aborted) throw error
      if (error instanceof ApiError && (error.code === 400 || error.code === 422)) {
        // Said by a server without the feature, of every kind; anything else is about this request alone.
        if (error.message.includes('sendInitialEvents')) traits.streaming = false
        streaming = false
        return
      }
      // A server too old to know streaming lists ignores the wish: it never ends the list, or ends the stream.
      if (error instanceof SilenceError || error instanceof CutListError) streaming = false
      throw error
    }
  }

  /** How long to wait after an error; also decides whether the version is still good. */
  const recover = (error: unknown): Millis => {
    problem = error instanceof Error ? error.message : String(error)
    const wasFollowing = mirror.version() !== undefined
    if (error instanceof SilenceError) silences += 1
    // Two silent watches in a row at one version: it may lie in the server's future, where nothing ever happens.
    if (isGone(error) || isTooLargeVersion(error) || error instanceof RelistError || silences > 1) mirror.expire()
    if (isNotFound(error)) {
      if (!synced) swap(new Map(), '')
      mirror.expire()
      problem = `the server serves no ${kind.kind} in ${kind.apiVersion}`
      return ABSENT * (1 + random())
    }
    // At once, but for a list that is gone as soon as it is made: that would be a hot loop.
    if (isGone(error) && wasFollowing && clock.now() - (lastSync ?? 0) >= SHORT) return 0
    const delay = backoff.next(clock.now())
    log.warn({ ...about, error: problem, failures: backoff.failures() }, 'following a collection failed')
    return (error instanceof ApiError && error.retryAfter) || delay
  }

  const run = async () => {
    while (!stopping.signal.aborted) {
      connection = new AbortController()
      try {
        await step()
      } catch (error) {
        if (stopping.signal.aborted) return
        if (!connection.signal.aborted) await sleep(clock, recover(error), stopping.signal)
      }
    }
  }
  const running = run()

  return {
    objects: mirror.objects,
    isSynced: () => synced,
    health: () => ({
      kind,
      ...(namespace !== undefined && { namespace }),
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
      synced,
      objects: mirror.objects.size,
      version: mirror.version(),
      lastSync,
      lastHeard,
      lists,
      failures: problem === undefined ? 0 : backoff.failures(),
      problem,
    }),
    relist() {
      mirror.expire()
      connection.abort(new Error('asked to list anew'))
    },
    stop() {
      stopping.abort()
      connection.abort(new Error('stopped'))
      return running
    },
  }
}
