// Saying something on a stream that may have ended by now: node:http2 throws then, and on headers that it does not like.
// Neither may reach more than the one stream.
import type { Http2Stream, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { INTERNAL_ERROR } from './codes.ts'
import type { Headers } from './fields.ts'

/** May nothing be said on it any more? It is reset, though what came before is perhaps not read yet. */
export const isOver = (stream: Http2Stream): boolean => stream.destroyed || stream.closed

/** The head of the answer; false: it could not be given, and the stream is over. */
export function respond(
  stream: ServerHttp2Stream,
  headers: Headers | IncomingHttpHeaders,
  options: { endStream: boolean; waitForTrailers?: boolean },
): boolean {
  return attempt(stream, () => stream.respond(headers, options))
}

/** An interim answer, while there is no other. */
export function inform(stream: ServerHttp2Stream, headers: Headers | IncomingHttpHeaders): void {
  if (!stream.headersSent) attempt(stream, () => stream.additionalHeaders(headers))
}

/** The trailers, once the stream asks for them; empty ones end it too. */
export function trail(stream: Http2Stream, trailers: Headers): void {
  attempt(stream, () => stream.sendTrailers(trailers))
}

function attempt(stream: Http2Stream, say: () => void): boolean {
  if (isOver(stream)) return false
  try {
    say()
    return true
  } catch {
    stream.close(INTERNAL_ERROR)
    return false
  }
}
