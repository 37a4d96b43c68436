// A small in-memory API server that keeps Kubernetes' promises about versions and watches, and can be told to restart,
// compact or go back in time. It knows no validation; src/apiserver does.
import type { KubeObject } from '../../src/contract.ts'
import type { ApiRequest, ApiResponse, ApiStream, Clock, Transport } from '../../src/ports.ts'

type Logged = Readonly<{ version: number; path: string; type: string; object: KubeObject }>
type Watcher = { path: string; push(line: string): void; end(): void }

export type Scripted = ReturnType<typeof scripted>

const status = (code: number, reason: string, message = reason, details: object = {}): ApiResponse => ({
  status: code,
  headers: {},
  body: JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code, details }),
})

const merge = (into: unknown, patch: unknown): unknown => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = { ...(into as object) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merge(result[key], value)
  }
  return result
}

const tooLarge = (message = 'Too large resource version: 999, current: 5') =>
  status(504, 'Timeout', message, { causes: [{ reason: 'ResourceVersionTooLarge', message }] })

/** A line at a time, for as many readers as there are: one. */
function channel() {
  const lines: string[] = []
  let isOver = false
  let wake = () => {}
  async function* read(): AsyncGenerator<string> {
    for (;;) {
      const next = lines.shift()
      if (next !== undefined) yield next
      else if (isOver) return
      else
        await new Promise<void>(done => {
          wake = done
        })
    }
  }
  const end = () => {
    isOver = true
    wake()
  }
  const push = (line: string) => {
    lines.push(line)
    wake()
  }
  return { lines: read(), push, end }
}

/** Collections are made by their first object: anything under /api and /apis exists. Bookmarks every 60 s. */
export function scripted(clock: Clock, options: Readonly<{ streaming?: boolean; oblivious?: boolean }> = {}) {
  const { streaming = true, oblivious = false } = options
  let objects = new Map<string, KubeObject>() // by path
  let version = 1
  let uids = 0
  let compactedTo = 0
  let log: Logged[] = []
  const watchers = new Set<Watcher>()
  const requests: { at: number; request: ApiRequest }[] = []
  const tokens = new Map<string, readonly string[]>()
  const collectionOf = (path: string) => path.slice(0, path.lastIndexOf('/'))
  /** Objects of one namespace are also in the collection of all namespaces. */
  const isIn = (path: string, collection: string) =>
    collectionOf(path) === collection || collectionOf(path).replace(/\/namespaces\/[^/]+/, '') === collection

  const event = (type: string, object: unknown) => JSON.stringify({ type, object })
  const bookmark = (annotations?: object, at = version) =>
    event('BOOKMARK', { kind: 'x', apiVersion: 'x', metadata: { resourceVersion: String(at), annotations } })

  const commit = (type: string, path: string, object: KubeObject): KubeObject => {
    version += 1
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    if (type === 'DELETED') objects.delete(path)
    else objects.set(path, stored)
    log.push({ version, path, type, object: stored })
    for (const watcher of watchers) if (isIn(path, watcher.path)) watcher.push(event(type, stored))
    return stored
  }

  const write = ({ method, path, body = '{}' }: ApiRequest): ApiResponse => {
    const sent = JSON.parse(body)
    const at = method === 'POST' ? `${path}/${sent.metadata.name}` : path
    const old = objects.get(at)
    const ok = (object: KubeObject, code = 200) => ({ status: code, headers: {}, body: JSON.stringify(object) })
    if (method === 'POST') {
      if (old) return status(409, 'AlreadyExists', `"${sent.metadata.name}" already exists`)
      return ok(commit('ADDED', at, { ...sent, metadata: { ...sent.metadata, uid: `uid-${++uids}` } }), 201)
    }
    if (!old) return status(404, 'NotFound', `"${path}" not found`)
    if (method === 'DELETE') {
      const uid = sent.preconditions?.uid
      if (uid !== undefined && uid !== old.metadata.uid) return status(409, 'Conflict')
      return ok(commit('DELETED', at, old))
    }
    const expected = sent.metadata?.resourceVersion
    if (expected !== undefined && expected !== old.metadata.resourceVersion) return status(409, 'Conflict')
    const patched = merge(old, sent) as KubeObject
    return ok(JSON.stringify(patched) === JSON.stringify(old) ? old : commit('MODIFIED', at, patched))
  }

  const list = ({ path, query = {} }: ApiRequest): ApiResponse => {
    const token = query['continue']
    let keys = [...objects.keys()].filter(key => isIn(key, path)).sort()
    if (token !== undefined) {
      const saved = tokens.get(String(token))
      if (!saved) return status(410, 'Expired', 'the continue token is too old')
      keys = saved.filter(key => objects.has(key))
    }
    const limit = Number(query['limit'] ?? keys.length)
    const rest = keys.slice(limit)
    const next = rest.length > 0 ? `t${tokens.size}` : undefined
    if (next) tokens.set(next, rest)
    const items = keys.slice(0, limit).map(key => objects.get(key))
    const metadata = { resourceVersion: String(version), ...(next && { continue: next }) }
    return { status: 200, headers: {}, body: JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata, items }) }
  }

  const request = async (wanted: ApiRequest): Promise<ApiResponse> => {
    requests.push({ at: clock.now(), request: wanted })
    if (wanted.method !== 'GET') return write(wanted)
    const found = objects.get(wanted.path)
    if (found) return { status: 200, headers: {}, body: JSON.stringify(found) }
    // Plurals end in s and our names do not: whatever is no object is a collection.
    return /s$/.test(wanted.path) ? list(wanted) : status(404, 'NotFound', `"${wanted.path}" not found`)
  }

  const refusal = ({ query = {} }: ApiRequest): ApiResponse | undefined => {
    if (query['sendInitialEvents'] && !oblivious)
      return streaming ? undefined : status(422, 'Invalid', 'sendInitialEvents is forbidden')
    const from = Number(query['resourceVersion'] ?? 0)
    if (from > version) return tooLarge()
    return from !== 0 && from < compactedTo ? status(410, 'Expired', 'too old resource version') : undefined
  }

  const stream = async (wanted: ApiRequest): Promise<ApiStream> => {
    requests.push({ at: clock.now(), request: wanted })
    const { path, query = {} } = wanted
    const { lines, push, end } = channel()
    const cancels: (() => void)[] = []
    const finish = () => {
      watchers.delete(watcher)
      for (const cancel of cancels) cancel()
      end()
    }
    const watcher: Watcher = { path, push, end: finish }
    wanted.signal?.addEventListener('abort', () => watcher.end())
    const refused = refusal(wanted)
    if (refused) {
      push(refused.body)
      end()
      return { status: refused.status, headers: refused.headers, lines, close: () => {} }
    }
    watchers.add(watcher)
    if (query['resourceVersion'] === undefined) {
      for (const [key, object] of objects) if (isIn(key, path)) push(event('ADDED', object))
      if (!oblivious) push(bookmark({ 'k8s.io/initial-events-end': 'true' }))
    } else
      for (const one of log)
        if (one.version > Number(query['resourceVersion']) && isIn(one.path, path)) push(event(one.type, one.object))
    const remind = () => {
      push(bookmark())
      cancels[0] = clock.at(clock.now() + 60_000, remind)
    }
    cancels[0] = clock.at(clock.now() + 60_000, remind)
    cancels[1] = clock.at(clock.now() + 1000 * Number(query['timeoutSeconds'] ?? 300), () => watcher.end())
    return { status: 200, headers: {}, lines, close: () => watcher.end() }
  }

  const transport: Transport = { request, stream }
  return {
    transport,
    requests,
    /** Lists and watches of collections, with their times. */
    reads: () => requests.filter(({ request: { method, path } }) => method === 'GET' && /s$/.test(path)),
    /** How often a collection was read in full. */
    lists: () =>
      requests.filter(
        ({ request: { method, path, query } }) =>
          method === 'GET' &&
          /s$/.test(path) &&
          !query?.['continue'] &&
          (!query?.['watch'] || query['sendInitialEvents']),
      ).length,
    at: (path: string) => objects.get(path),
    all: () => [...objects.values()],
    version: () => version,
    watchers: () => watchers.size,
    put(path: string, object: KubeObject) {
      const old = objects.get(path)
      const uid = old?.metadata.uid ?? `uid-${++uids}`
      return commit(old ? 'MODIFIED' : 'ADDED', path, { ...object, metadata: { ...object.metadata, uid } })
    },
    remove(path: string) {
      const old = objects.get(path)
      if (old) commit('DELETED', path, old)
    },
    /** Sends a line to every watcher, true or not. */
    say(line: string) {
      for (const watcher of watchers) watcher.push(line)
    },
    bookmark: (at?: number) => bookmark(undefined, at),
    /** Forgets the past: older versions and continue tokens are gone. */
    compact() {
      compactedTo = version
      log = []
      tokens.clear()
    },
    hangUp() {
      for (const watcher of [...watchers]) watcher.end()
    },
    /** The state of now, to go back to. */
    backup() {
      const saved = { objects: new Map(objects), version, log: [...log] }
      return () => {
        objects = new Map(saved.objects)
        version = saved.version
        log = [...saved.log]
        for (const watcher of [...watchers]) watcher.end()
      }
    },
  }
}
