// Answers in the proxy's own name over HTTP/2. A gRPC client is told in its own words: it looks for grpc-status, and shows
// the text of nothing else.
import type { Stream } from './wire/stream.ts'

const UNAVAILABLE = 14
/** gRPC codes for statuses that no gRPC server sends ("HTTP to gRPC Status Code Mapping" of gRPC, 504 and 413 as gRPC
 * servers say it themselves). */
const GRPC_CODES: Readonly<Record<number, number>> = { 400: 13, 404: 12, 408: 1, 413: 8, 431: 8, 504: 4 }

/** What gRPC codes are as HTTP statuses (google.rpc.Code): only those that are 5xx, the server's own failures. */
const FAILURES = new Set(['2', '4', '12', '13', '14', '15'])

/** Is a `grpc-status` the server's failure, as a status of 5xx would be? */
export const isGrpcFailure = (status: unknown): boolean => typeof status === 'string' && FAILURES.has(status)

/** Answers a stream that has no answer yet. What of a body is still to come is of no use to anybody. */
export function say(stream: Stream, status: number, why: string, grpc: boolean): void {
  if (stream.hasHead) return
  if (grpc) {
    const message = encodeURI(`pintle proxy: ${why}`).replaceAll('%20', ' ')
    const code = `${GRPC_CODES[status] ?? UNAVAILABLE}`
    const said = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code, 'grpc-message': message }
    stream.head(said, true)
  } else {
    stream.head({ ':status': status, 'content-type': 'text/plain; charset=utf-8' }, stream.isForHead)
    if (!stream.isForHead) stream.end(Buffer.from(`pintle proxy: ${why}\n`))
  }
  stream.discard()
}
