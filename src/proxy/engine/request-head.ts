// The head of a request: where things are, how the body is framed, what must not go on. Filled by read-request.ts.
import { Cuts } from './cuts.ts'

/** How a body is framed. */
export const NONE = 0
export const LENGTH = 1
export const CHUNKED = 2

/** Longest head in octets. */
export const MOST_HEAD = 32 * 1024

/** What was found; one object per thread, valid until the next head is read. Indexes into the buffer that was read. */
export type RequestHead = {
  /** Of the message; `end` is behind its empty line. */
  begin: number
  end: number
  methodTo: number
  isGet: boolean
  isHead: boolean
  /** GET, HEAD, OPTIONS, TRACE: may be asked again (RFC 9110 9.2.1). */
  isSafe: boolean
  /** Path and query as the pod shall see them. */
  targetFrom: number
  targetTo: number
  /** The same where the request does not spell it: an absolute target may lack a path. */
  target: string | undefined
  /** Behind the request line. */
  fieldsFrom: number
  /** 0 or 1: HTTP/1.0 or HTTP/1.1. */
  minor: number
  /** The authority: that of the target if it names one, else the Host field. */
  hostFrom: number
  hostTo: number
  /** Did the target name the authority? Then Host must be written anew. */
  isAbsolute: boolean
  /** NONE, LENGTH or CHUNKED. */
  framing: number
  length: number
  keepAlive: boolean
  /** A WebSocket handshake. */
  upgrade: boolean
  expect: boolean
  /** The client takes trailers. */
  trailers: boolean
  /** Which of the forwarding fields came: bits of `CAME`. */
  came: number
  /** Lines that end here: hop-by-hop ones and, unless the peer is trusted, the forwarding ones. */
  readonly cuts: Cuts
  why: string
}

/** Bits of `came`. */
export const CAME = { for: 1, proto: 2, host: 4, port: 8, forwarded: 16 }

/** Is it a GET without anything that the connection must know of? */
export const isOrdinary = (): boolean =>
  head.isGet && head.minor === 1 && head.framing === NONE && head.keepAlive && !head.upgrade && !head.expect

const OPTIONS = 'OPTIONS'.length
const TRACE = 'TRACE'.length

/** TRACE: of the safe methods the only one of this length. */
export const isTrace = (): boolean => head.isSafe && head.methodTo - head.begin === TRACE

/** GET, HEAD or OPTIONS, of those that are safe: what a pod may be asked for before it has answered others. */
export const isShareable = (): boolean => head.isGet || head.isHead || head.methodTo - head.begin === OPTIONS

export const head: RequestHead = {
  begin: 0,
  end: 0,
  methodTo: 0,
  isGet: false,
  isHead: false,
  isSafe: false,
  targetFrom: 0,
  targetTo: 0,
  target: undefined,
  fieldsFrom: 0,
  minor: 1,
  hostFrom: 0,
  hostTo: 0,
  isAbsolute: false,
  framing: NONE,
  length: 0,
  keepAlive: true,
  upgrade: false,
  expect: false,
  trailers: false,
  came: 0,
  cuts: new Cuts(),
  why: '',
}

/** Refuses: keeps the reason, and gives back the status negated. */
export const refuse = (status: number, why: string): number => {
  head.why = why
  return -status
}
