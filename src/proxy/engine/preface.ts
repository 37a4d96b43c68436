// The beginning of HTTP/2 by prior knowledge (RFC 9113 3.4).
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\n')

/** May they, when more of them come? */
export const isPrefaceSoFar = (buf: Buffer, from: number, to: number): boolean =>
  to - from < PREFACE.length && buf.compare(PREFACE, 0, to - from, from, to) === 0

/** Do the octets [from, to) begin an HTTP/2 connection? */
export const isPreface = (buf: Buffer, from: number, to: number): boolean =>
  to - from >= PREFACE.length && buf.compare(PREFACE, 0, PREFACE.length, from, from + PREFACE.length) === 0
