// What copies for mirrors keep of requests. All of a thread together have a bound: beyond it requests are not copied, so
// that a canary which does not answer cannot take the memory that users need.

/** A longer body is not copied. */
export const MOST_BODY = 64 * 1024
/** Octets of all copies that are gathered, or sent and not answered. */
const MOST_OCTETS = 32 * 1024 * 1024

let octets = 0

/** A request as it is gathered. */
export class CopyBody {
  private parts: Buffer[] = []
  private kept = 0
  private body = 0
  /** Too long, or there was no room: it will not be whole. */
  isLost = false

  /** A head; kept as it is. */
  head(data: Buffer): void {
    this.keep(data)
  }

  /** A piece of the body; kept as it is. */
  add(data: Buffer): void {
    if (this.isLost) return
    this.body += data.length
    if (this.body > MOST_BODY) this.lose()
    else if (data.length > 0) this.keep(data)
  }

  /** All of it, once; it counts as kept until `free`. */
  take(): Buffer {
    const whole = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts)
    this.parts = []
    return whole
  }

  free(): void {
    octets -= this.kept
    this.kept = 0
    this.parts = []
  }

  private keep(data: Buffer): void {
    if (octets + data.length > MOST_OCTETS) {
      this.lose()
      return
    }
    octets += data.length
    this.kept += data.length
    this.parts.push(data)
  }

  private lose(): void {
    this.isLost = true
    this.free()
  }
}
