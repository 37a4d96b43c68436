// How streams end.
import type { Http2Stream } from 'node:http2'

/** Error codes of RFC 9113 7. */
export const NO_ERROR = 0
export const INTERNAL_ERROR = 2
export const REFUSED_STREAM = 7
export const CANCEL = 8
export const ENHANCE_YOUR_CALM = 11

/** Did the pod break its answer off? Node says `end` then too, and what came must not be taken for the whole. (It may reset
 * without an error behind a whole answer, when it wants no more of the request.) */
export const isCut = (stream: Http2Stream): boolean => stream.rstCode !== NO_ERROR || stream.destroyed

/** Did the client break its request off? For it any reset is that. */
export const isGivenUp = (stream: Http2Stream): boolean => isCut(stream) || stream.aborted
