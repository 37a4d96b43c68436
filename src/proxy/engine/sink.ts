// What octets of a request go into: a connection (outlet.ts), or a stream that takes them apart (h2/h2c-line.ts).
export type Sink = {
  /** Octets that have not left yet. */
  readonly unsent: number
  /** Takes [from, to) of a buffer. Of the shared buffer nothing is needed any more on return; any other must stay untouched
   * until it is sent. */
  write(buf: Buffer, from: number, to: number): void
  /** Takes a whole buffer that nobody will change before it is sent. */
  writeWhole(view: Buffer): void
  /** For how many milliseconds nothing was taken of what is unsent. `now` at each tick of the clock. */
  stuckFor(now: number): number
}

/** For how long the number of unsent octets has not changed. */
export class StuckClock {
  /** What was unsent at the last look, and since when that has not changed. */
  private mark = 0
  private since = 0

  /** In milliseconds; `now` at each tick of the clock. */
  look(unsent: number, now: number): number {
    if (unsent === 0 || unsent !== this.mark) {
      this.mark = unsent
      this.since = now
    }
    return now - this.since
  }
}
