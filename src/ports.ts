// All that a reconcile may touch of the world, as types: the API, the clock, chance, the log.
import type { Action, HttpReply, HttpRequest, KindRef, KubeObject, Millis, Ref } from './contract.ts'

/** Time. `at` runs `run` once when the clock reaches `time`; the answer cancels it. */
export type Clock = Readonly<{ now(): Millis; at(time: Millis, run: () => void): () => void }>

/** One HTTP request to a metric provider. Any status is an answer; an Error means that there was none. */
export type Fetch = (request: HttpRequest, signal?: AbortSignal) => Promise<HttpReply>

/** A number in [0, 1). Seeded in tests and simulation. */
export type Random = () => number

export type LogFields = Readonly<Record<string, unknown>>
export type Log = Readonly<{
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}>

export type ApiRequest = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path below the server's address, percent-encoded, without the query. */
  path: string
  query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** JSON (or YAML) text. */
  body?: string
  contentType?: string
  accept?: string
  /** Milliseconds for the whole request. */
  timeout?: Millis
  signal?: AbortSignal
}>
export type ApiResponse = Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: string }>
/** A watch: one JSON document a line. On a status other than 200 the lines hold the error body. */
export type ApiStream = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  lines: AsyncIterable<string>
  close(): void
}>

/** The wire to an API server: undici, a direct call into the embedded server, or either wrapped with faults. */
export type Transport = Readonly<{
  request(request: ApiRequest): Promise<ApiResponse>
  stream(request: ApiRequest): Promise<ApiStream>
}>

export type ListOptions = Readonly<{
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  resourceVersion?: string
  limit?: number
}>

/** The one door to Kubernetes. Errors are ApiError (src/kube/errors.ts). Objects pass through untouched. */
export type Kube = Readonly<{
  /** A live read (not the cache). */
  get(ref: Ref): Promise<KubeObject>
  /** A live list; pages are followed. */
  list(
    kind: KindRef,
    options?: ListOptions,
  ): Promise<Readonly<{ items: readonly KubeObject[]; resourceVersion: string }>>
  /** One write; the object after it, undefined after a delete. */
  perform(action: Action): Promise<KubeObject | undefined>
}>

/** The cache as a reconcile sees it: frozen objects, no I/O. */
export type Lookup = Readonly<{
  get(ref: Ref): KubeObject | undefined
  /** All objects of a kind in a namespace ('' = all namespaces). */
  list(kind: KindRef, namespace: string): readonly KubeObject[]
  /** Objects of a kind whose controlling owner has this uid; '': those without one. */
  ownedBy(kind: KindRef, uid: string): readonly KubeObject[]
}>

export type Key = Readonly<{ namespace: string; name: string }>

/** What a reconcile says about when to look again; undefined: when something changes. */
export type Result = Readonly<{ recheckAt?: Millis }>
