// A request and its answer as the router sees them, whether they came over a socket or by a call.

export type Incoming = Readonly<{
  method: string
  /** Percent-encoded, without the query. */
  path: string
  query: URLSearchParams
  body: string
  contentType: string
  accept: string
}>

/** Where a watch writes: one JSON document without a line break at a time. */
export type Sink = Readonly<{
  line(text: string): void
  /** The watch is over; nothing follows. */
  end(): void
}>

export type Answer = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  body: string
  /** A watch: called once; the answer stops it. Then `body` is empty. */
  watch?: (sink: Sink) => () => void
}>

/** JSON with a status. */
export const jsonAnswer = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body,
})

/** Plain text with status 200. */
export const textAnswer = (body: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
})
