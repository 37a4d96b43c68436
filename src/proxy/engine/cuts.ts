// Ranges to leave out of a message: found while a head is read, applied when it is passed on.

const MOST = 128

/** Ranges in ascending order; neighbours are joined. One per kind of head, reused. */
export class Cuts {
  readonly from = new Int32Array(MOST)
  readonly to = new Int32Array(MOST)
  count = 0

  clear(): void {
    this.count = 0
  }

  /** Leaves out [from, to), which lies behind all others. False when there are too many. */
  add(from: number, to: number): boolean {
    const { count } = this
    if (count > 0 && this.to[count - 1] === from) {
      this.to[count - 1] = to
      return true
    }
    if (count >= MOST) return false
    this.from[count] = from
    this.to[count] = to
    this.count = count + 1
    return true
  }

  /** Leaves out [from, to) wherever it lies; ranges never overlap. */
  insert(from: number, to: number): boolean {
    if (this.count >= MOST) return false
    let i = this.count++
    for (; i > 0 && this.from[i - 1]! > from; i--) {
      this.from[i] = this.from[i - 1]!
      this.to[i] = this.to[i - 1]!
    }
    this.from[i] = from
    this.to[i] = to
    return true
  }

  /** Is the line at `at` left out? */
  has(at: number): boolean {
    for (let i = 0; i < this.count; i++) if (at >= this.from[i]! && at < this.to[i]!) return true
    return false
  }

  /** Copies [from, to) of `buf` without the ranges to `out` at `at`; the index behind the copy. */
  copy(buf: Buffer, from: number, to: number, out: Buffer, at: number): number {
    let read = from
    let write = at
    for (let i = 0; i < this.count; i++) {
      const cut = this.from[i]!
      if (cut < read) continue
      if (cut >= to) break
      write += buf.copy(out, write, read, cut)
      read = this.to[i]!
    }
    return write + buf.copy(out, write, read, to)
  }

  /** Closes the gaps in place by moving what is before them to the right; the new beginning of what began at `from`. */
  close(buf: Buffer, from: number): number {
    if (this.count === 0) return from
    let write = this.to[this.count - 1]!
    for (let i = this.count - 1; i >= 0; i--) {
      const segment = i === 0 ? from : this.to[i - 1]!
      const size = this.from[i]! - segment
      buf.copyWithin(write - size, segment, this.from[i]!)
      write -= size
    }
    return write
  }
}
