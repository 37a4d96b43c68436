// The shared buffer as words: four octets are compared at once.
let viewed: ArrayBufferLike | undefined
let view: Int32Array = new Int32Array(0)

/** A view of a buffer that begins where its memory does, as the shared one. */
export function wordsOf(buf: Buffer): Int32Array {
  if (buf.buffer !== viewed) {
    viewed = buf.buffer
    view = new Int32Array(viewed, 0, Math.floor(viewed.byteLength / 4))
  }
  return view
}
