// What was sent of a body, as long as it may have to be sent again: to another pod, or to the same one, where a pod has refused
// the stream unread (RFC 9113 8.7).

/** A body of which more has been sent cannot be sent again. */
const MOST_KEPT = 64 * 1024

export class KeptBody {
  /** Undefined: it cannot be sent again. */
  parts: Buffer[] | undefined = []
  private size = 0

  /** Takes [from, to) of a buffer, good for this moment only. */
  add(buf: Buffer, from: number, to: number): void {
    if (this.parts === undefined) return
    this.size += to - from
    if (this.size > MOST_KEPT) this.parts = undefined
    else this.parts.push(Buffer.from(buf.subarray(from, to)))
  }

  /** Takes octets that came before, however many: nobody changes them any more. */
  begin(octets: Buffer): void {
    this.parts = [octets]
    this.size = octets.length
  }

  /** Nothing is sent again. */
  forget(): void {
    this.parts = undefined
  }
}
