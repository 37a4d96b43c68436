// Watches: what has happened since a version, then what happens, as lines; with selectors, bookmarks and an end.
import type { KubeObject } from '../contract.ts'
import type { Form } from './accept.ts'
import type { Core } from './core.ts'
import { inVersionOf } from './core.ts'
import type { Sink } from './exchange.ts'
import type { ListQuery } from './list-options.ts'
import type { KindDef } from './model.ts'
import { expired, versionTooLarge } from './refusals.ts'
import type { TableOptions } from './rendering.ts'
import { lineOf, renderBookmark, renderObject } from './rendering.ts'
import type { Change } from './store.ts'

const BOOKMARK_EVERY = 60_000
const LAST_BOOKMARK = 2_000
const SHORTEST = 1800_000

export type WatchRequest = Readonly<{
  def: KindDef
  namespace: string | undefined
  query: ListQuery
  form: Form
  table: TableOptions
}>

type Event = Readonly<{ type: Change['type']; object: KubeObject }>

/** The event that a selector makes of a change: objects that come to match are added, those that cease are deleted. */
const seenThrough = (request: WatchRequest, change: Change): Event | undefined => {
  const { namespace, query } = request
  const { type, object, previous } = change
  if (namespace !== undefined && object.metadata.namespace !== namespace) return undefined
  if (!query.selective) return { type, object }
  const before = previous !== undefined && query.matches(previous)
  if (type === 'DELETED') return before ? { type, object } : undefined
  if (query.matches(object)) return { type: before ? 'MODIFIED' : 'ADDED', object }
  if (!before) return undefined
  // What the watcher has is the state before; it goes at the version of the change.
  const { resourceVersion } = object.metadata
  return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion } } as KubeObject }
}

// A kind that is no longer served has nothing more to tell.
const isEndOf = (def: KindDef, { type, object }: Change): boolean =>
  !def.builtIn &&
  type === 'DELETED' &&
  object.kind === 'CustomResourceDefinition' &&
  object.metadata.name === `${def.plural}.${def.group}`

/** Opens a watch; the answer of the answer stops it. Raises 504 for initial events of a version of the future. */
export const openWatch = (core: Core, request: WatchRequest): ((sink: Sink) => () => void) => {
  const { version = 0, initialEvents } = request.query
  const current = core.store.version()
  if (initialEvents && version > current) throw versionTooLarge(version, current)
  return sink => run(core, request, sink)
}

const run = (core: Core, request: WatchRequest, sink: Sink): (() => void) => {
  const { store, clock, random } = core
  const { def, namespace, query, form, table } = request
  let ended = false
  const cancels = new Set<() => void>()
  const stop = (): void => {
    ended = true
    for (const cancel of cancels) cancel()
  }
  const emit = (type: string, text: string): void => {
    if (!ended) sink.line(`{"type":"${type}","object":${text}}`)
  }
  const send = ({ type, object }: Event): void =>
    emit(type, renderObject(def, inVersionOf(def, object), form, clock.now(), table))
  const bookmark = (initial = false): void => emit('BOOKMARK', renderBookmark(def, store.version(), form, initial))
  const later = (time: number, act: () => void): void => {
    const cancel = clock.at(time, () => {
      cancels.delete(cancel)
      act()
    })
    cancels.add(cancel)
  }

  const { version, initialEvents } = query
  const fromState = initialEvents ?? (version === undefined || version === 0)
  // Changes up to here are covered; a change that is stored but not yet told must not be sent twice.
  let covered = store.version()
  if (fromState) {
    const objects = store.list(def, namespace)
    for (const object of objects) if (query.matches(object)) send({ type: 'ADDED', object })
    if (initialEvents && query.bookmarks) bookmark(true)
  } else if (version !== undefined && version !== 0) {
    const changes = store.since(def, version)
    if (!changes) {
      const error = expired(`too old resource version: ${version} (${store.oldest(def)})`)
      emit('ERROR', lineOf(error.body()))
      sink.end()
      return () => {}
    }
    for (const change of changes) {
      const event = seenThrough(request, change)
      if (event) send(event)
    }
    covered = Math.max(covered, version)
  }

  cancels.add(
    store.onChange((change, resource) => {
      if (isEndOf(def, change)) {
        stop()
        sink.end()
        return
      }
      if (resource.plural !== def.plural || resource.group !== def.group || change.version <= covered) return
      const event = seenThrough(request, change)
      if (event) send(event)
    }),
  )

  const end = clock.now() + (query.timeout === undefined ? SHORTEST * (1 + random()) : query.timeout * 1000)
  if (query.bookmarks) {
    const tick = (): void => {
      bookmark()
      const next = clock.now() + BOOKMARK_EVERY
      if (next < end - LAST_BOOKMARK) later(next, tick)
    }
    if (clock.now() + BOOKMARK_EVERY < end - LAST_BOOKMARK) later(clock.now() + BOOKMARK_EVERY, tick)
    if (end - LAST_BOOKMARK > clock.now()) later(end - LAST_BOOKMARK, bookmark)
  }
  later(end, () => {
    stop()
    sink.end()
  })
  return stop
}
