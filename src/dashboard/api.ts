// The API below ROOT/api/v1/: Argo's dashboard's routes, so that its pages and scripts work here; plus named events.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Kube } from '../ports.ts'
import { act } from './action.ts'
import { SAFE_HEADERS } from './guard.ts'
import { HttpError } from './http-error.ts'
import type { Model } from './model.ts'
import { type Route, routeOf, verbOf } from './route.ts'
import { openStream, type Stream } from './stream.ts'
import type { TrafficSource } from './traffic.ts'

/** What the API works with; shared by all requests. */
export type Parts = Readonly<{
  clock: Clock
  kube: Kube
  model: Model
  traffic: TrafficSource
  streams: Set<Stream>
  /** The namespace that the page opens on. */
  namespace: string
  readOnly: boolean
  version: string
}>

/** Answers with JSON. */
export function reply(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response
    .writeHead(status, {
      ...SAFE_HEADERS,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    })
    .end(text)
}

function decoded(path: string): readonly string[] {
  try {
    return path.split('/').flatMap(part => decodeURIComponent(part).split('/'))
  } catch {
    throw new HttpError(400, 'the path is not percent-encoded')
  }
}

/** Answers a request to `path`, below api/v1/. Rejects with HttpError and with errors of the cluster. */
export async function serveApi(
  parts: Parts,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = routeOf(request.method ?? '', decoded(path))
  if (route.is === 'act') return press(parts, route, request, response)
  const { model } = parts
  if (route.is === 'version') {
    return reply(response, 200, { rolloutsVersion: parts.version, readOnly: parts.readOnly })
  }
  if (route.is === 'namespace') {
    return reply(response, 200, { namespace: parts.namespace, availableNamespaces: model.namespaces() })
  }
  if (route.is === 'list') return reply(response, 200, { rollouts: model.list(route.namespace) })
  if (route.is === 'list-watch') return watchList(parts, route.namespace, open(parts, request, response))
  const { namespace, name } = route
  const info = model.get(namespace, name)
  if (!info) throw new HttpError(404, `rollout.argoproj.io "${name}" not found`)
  if (route.is === 'info') return reply(response, 200, info)
  watchOne(parts, namespace, name, open(parts, request, response))
}

function open({ streams, traffic, clock }: Parts, request: IncomingMessage, response: ServerResponse): Stream {
  const stream = openStream(request, response, clock)
  streams.add(stream)
  const quiet = traffic.onSample(sample => stream.note('traffic', sample))
  stream.onEnd(() => {
    quiet()
    streams.delete(stream)
  })
  return stream
}

/** What is there first, then every change. */
function watchList({ model }: Parts, namespace: string, stream: Stream): void {
  const off = model.onChange(({ type, namespace: place, info }) => {
    if (namespace === '' || place === namespace) stream.send({ type, rolloutInfo: info })
  })
  stream.onEnd(off)
  for (const rolloutInfo of model.list(namespace)) stream.send({ type: 'Updated', rolloutInfo })
  stream.note('ready', {})
}

function watchOne({ model }: Parts, namespace: string, name: string, stream: Stream): void {
  const off = model.onChange(change => {
    if (change.namespace !== namespace || change.name !== name) return
    if (change.type === 'Deleted') stream.note('deleted', {})
    else stream.send(change.info)
  })
  stream.onEnd(off)
  stream.send(model.get(namespace, name))
}

async function press(
  { readOnly, kube, clock }: Parts,
  route: Extract<Route, { is: 'act' }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (readOnly) throw new HttpError(403, 'this dashboard is read-only')
  const verb = verbOf(route.verb, route.rest, await bodyOf(request))
  reply(response, 200, await act(kube, route.namespace, route.name, verb, clock.now()))
}

const MOST_BODY = 64 * 1024

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > MOST_BODY) throw new HttpError(413, 'the body is too long')
  }
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    throw new HttpError(400, 'the body is not JSON')
  }
}
