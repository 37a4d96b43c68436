// What a story asks of the API server: recorded while it is played, and asked again of any other server.
import { directTransport } from '../../src/apiserver/direct.ts'
import { createKube } from '../../src/kube/kube.ts'
import type { ApiRequest, ApiResponse, Transport } from '../../src/ports.ts'
import { play } from '../../src/sim/player.ts'
import { product } from '../../src/sim/product.ts'
import type { Story } from '../../src/sim/story.ts'
import { virtualStage } from '../../src/sim/virtual-stage.ts'
import type { World } from '../../src/sim/world.ts'
import { normalised } from '../apiserver/kit/normalise.ts'

/** One request of the story with the answer that it got while the story was played. */
export type Exchange = Readonly<{ request: ApiRequest; response: ApiResponse }>

type Json = Record<string, unknown>
type Meta = Readonly<{ uid?: string; resourceVersion?: string }>

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Pods are the cluster's: their names are made up, so nothing that names one can be asked of another server. */
const isAskable = ({ path }: ApiRequest, namespace: string): boolean =>
  path.includes(`/namespaces/${namespace}/`) && !/\/pods(\/|$)/.test(path)

/** A transport that notes all that passes. Watches are no part of it: the conformance scenarios have those. */
function noting(inner: Transport, note: (exchange: Exchange) => void): Transport {
  return {
    stream: request => inner.stream(request),
    async request(request) {
      const response = await inner.request(request)
      note({ request, response })
      return response
    },
  }
}

/** Plays the story in the virtual world that `make` builds and returns what the user and our controller asked for. */
export async function recordRequests(
  story: Story,
  make: (controller: (world: World) => ReturnType<ReturnType<typeof product>>) => Promise<World>,
): Promise<readonly Exchange[]> {
  const exchanges: Exchange[] = []
  const note = (exchange: Exchange) => {
    if (isAskable(exchange.request, story.name)) exchanges.push(exchange)
  }
  const world = await make(w => product({ wrap: inner => noting(inner, note) })(w))
  const user = createKube(noting(directTransport(world.server), note), { clock: world.clock, log: silent })
  const stage = virtualStage(world, story.name, story.objects)
  await play(story, { ...stage, perform: action => user.perform(placed(action, story.name)) })
  return exchanges
}

const placed = (action: Parameters<ReturnType<typeof createKube>['perform']>[0], namespace: string): typeof action =>
  action.verb === 'create'
    ? { ...action, object: { ...action.object, metadata: { ...action.object.metadata, namespace } } }
    : action

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Kinds that a cluster's own controllers write, too: their versions and statuses are nobody's promise. */
const SHARED = /\/(replicasets|deployments|jobs)(\/|$)/
/** What the cluster's Deployment controller writes beside its status. */
const FOREIGN_ANNOTATION = 'deployment.kubernetes.io/revision'

/** Asks everything again, in order, in the namespace `ns` of another server. Uids and versions that the first server
 * gave are replaced by those of this one. The transcript has one answer a request and no chance in it. */
export async function replayRequests(
  exchanges: readonly Exchange[],
  from: string,
  transport: Transport,
  ns: string,
): Promise<Readonly<Record<string, unknown>>> {
  const uids = new Map<string, string>()
  const versions = new Map<string, string>()
  const answers: Record<string, unknown> = {}
  for (const [i, { request, response }] of exchanges.entries()) {
    const answer = await ask(request, response.status)
    learn(parsed(response.body), parsed(answer.body))
    const what = `${i + 1} ${request.method} ${request.path.slice(request.path.indexOf(`/${from}/`) + from.length + 2)}`
    answers[what] = { status: answer.status, body: seen(request.path, parsed(answer.body)) }
  }
  return normalised(answers, ns) as Readonly<Record<string, unknown>>

  async function ask(request: ApiRequest, expected: number): Promise<ApiResponse> {
    const path = withUids(request.path).replace(`/namespaces/${from}/`, `/namespaces/${ns}/`)
    const { signal: _s, body, ...rest } = request
    let wanted = body === undefined ? undefined : translated(parsed(body))
    for (let tries = 0; ; tries++) {
      const answer = await transport.request({ ...rest, path, ...(wanted === undefined ? {} : { body: text(wanted) }) })
      // Somebody else wrote this object in between: the version that we meant is the one that is there now.
      if (answer.status !== 409 || expected === 409 || !SHARED.test(path) || tries > 20) return answer
      const live = parsed((await transport.request({ method: 'GET', path: objectPath(path) })).body) as Json
      wanted = pinned(wanted, (live['metadata'] as Meta | undefined)?.resourceVersion ?? '')
    }
  }

  function learn(old: unknown, fresh: unknown): void {
    const before = (old as Json | undefined)?.['metadata'] as Meta | undefined
    const after = (fresh as Json | undefined)?.['metadata'] as Meta | undefined
    if (before?.uid && after?.uid) uids.set(before.uid, after.uid)
    if (before?.resourceVersion && after?.resourceVersion) versions.set(before.resourceVersion, after.resourceVersion)
  }

  /** Names of measuring Jobs hold the uid of their run. */
  function withUids(text: string): string {
    return text.replace(UID, uid => uids.get(uid) ?? uid)
  }

  function translated(value: unknown, key = ''): unknown {
    if (typeof value === 'string') {
      if (key === 'resourceVersion') return versions.get(value) ?? '1'
      return value === from ? ns : withUids(value)
    }
    if (Array.isArray(value)) return value.map(item => translated(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, translated(v, k)]))
  }
}

const objectPath = (path: string): string => path.replace(/\/(status|scale)$/, '')

function pinned(body: unknown, resourceVersion: string): unknown {
  if (Array.isArray(body)) {
    return body.map(op =>
      (op as Json)['path'] === '/metadata/resourceVersion' ? { ...op, value: resourceVersion } : op,
    )
  }
  const fields = body as Json
  return { ...fields, metadata: { ...(fields['metadata'] as Json), resourceVersion } }
}

function seen(path: string, body: unknown): unknown {
  if (!SHARED.test(path) || typeof body !== 'object' || body === null) return body
  const { status, metadata, ...rest } = body as Json & { metadata?: Json }
  if (rest['kind'] === 'Status') return body
  const { resourceVersion: _v, annotations, ...meta } = metadata ?? {}
  const kept = Object.entries((annotations ?? {}) as Json).filter(([key]) => key !== FOREIGN_ANNOTATION)
  return { ...rest, metadata: { ...meta, ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}) } }
}

const text = (value: unknown): string => JSON.stringify(value)

function parsed(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** Requests whose answers differ, each with both answers. */
export function differing(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): readonly Readonly<{ request: string; paths: readonly string[] }>[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .map(request => ({ request, paths: [...pathsOf(a[request], b[request])] }))
    .filter(({ paths }) => paths.length > 0)
}

function* pathsOf(a: unknown, b: unknown, path = ''): Generator<string> {
  if (text(a) === text(b)) return
  const isTree = (value: unknown): value is Json => typeof value === 'object' && value !== null
  if (!isTree(a) || !isTree(b)) {
    yield `${path}: ${text(a)} <> ${text(b)}`
    return
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) yield* pathsOf(a[key], b[key], `${path}.${key}`)
}
