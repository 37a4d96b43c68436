// Bodies of HTTP/2 in chunks of HTTP/1.1 (RFC 9112 7.1).
import type { Headers } from './fields.ts'

/** [from, to) of a buffer as a chunk, in one piece. */
export function chunkOf(buf: Buffer, from: number, to: number): Buffer {
  const size = (to - from).toString(16)
  const chunk = Buffer.allocUnsafe(size.length + to - from + 4)
  const at = chunk.write(`${size}\r\n`, 0, 'latin1')
  buf.copy(chunk, at, from, to)
  chunk.write('\r\n', chunk.length - 2, 'latin1')
  return chunk
}

/** The end of a body, with its trailers. */
export function lastChunk(trailers: Headers): Buffer {
  let lines = ''
  for (const [name, value] of Object.entries(trailers)) for (const one of [value].flat()) lines += `${name}: ${one}\r\n`
  return Buffer.from(`0\r\n${lines}\r\n`, 'latin1')
}
