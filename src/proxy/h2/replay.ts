// The body of a stream on its way to an h2c pod: read once, and kept until an answer begins, so that a stream that a pod
// refused unread can go to another one (RFC 9113 8.7).
import type { Flight } from './exchange.ts'
import { KeptBody } from './kept-body.ts'
import type { BodyReader, Stream } from './wire/stream.ts'

/** `whole` is called when the last of the body came, `refused` when there was too much of it. */
export class Replay implements BodyReader {
  /** Has the whole body come? */
  isWhole = false
  private readonly flight: Flight
  private readonly whole: () => void
  private readonly refused: () => void
  private to: Stream | undefined
  private readonly kept = new KeptBody()

  constructor(flight: Flight, whole: () => void, refused: () => void) {
    this.flight = flight
    this.whole = whole
    this.refused = refused
    const { begun } = flight
    if (begun) this.kept.begin(begun.octets)
    this.isWhole = begun?.isWhole === true
  }

  data(buf: Buffer, from: number, to: number): void {
    const { flight } = this
    if (!flight.received(to - from)) {
      this.to = undefined
      this.refused()
      return
    }
    flight.copy?.add(buf, from, to)
    this.kept.add(buf, from, to)
    if (this.to && !this.to.write(buf, from, to)) flight.stream.pause()
  }

  ended(): void {
    const { flight } = this
    this.isWhole = true
    flight.copy?.send()
    this.to?.endWith(flight.trailers)
    this.whole()
  }

  /** Can what was sent be sent again? */
  get canRepeat(): boolean {
    return this.kept.parts !== undefined
  }

  /** From now on the body goes to this stream of a pod, from its beginning. */
  sendTo(request: Stream): void {
    const { stream, trailers } = this.flight
    this.to = request
    let isRoom = true
    for (const part of this.kept.parts ?? []) isRoom = request.write(part, 0, part.length)
    if (this.isWhole) request.endWith(trailers)
    // Nothing is read before there is somebody to give it to.
    else if (isRoom) stream.read(this)
  }

  /** A pod takes more. */
  drained(request: Stream): void {
    if (this.to === request && !this.isWhole) this.flight.stream.read(this)
  }

  /** Its pod is lost: the client waits until there is another. */
  detach(): void {
    this.to = undefined
    if (!this.isWhole) this.flight.stream.pause()
  }

  /** An answer has begun: nothing is sent again. */
  forget(): void {
    this.kept.forget()
  }
}
