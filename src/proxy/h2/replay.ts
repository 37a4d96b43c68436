// The body of a stream on its way to an h2c pod: read once, and kept until an answer begins, so that a stream that a pod
// refused unread can go to another one (RFC 9113 8.7).
import type { ClientHttp2Stream } from 'node:http2'
import { isGivenUp } from './codes.ts'
import type { Flight } from './exchange.ts'
import { trail } from './speak.ts'

/** A body of which more has been sent cannot be sent again. */
const MOST_KEPT = 64 * 1024

/** `whole` is called when the last of the body came, `refused` when there was too much of it. */
export class Replay {
  /** Has the whole body come? */
  isWhole = false
  private readonly flight: Flight
  private to: ClientHttp2Stream | undefined
  private parts: Buffer[] | undefined = []
  private size = 0

  constructor(flight: Flight, whole: () => void, refused: () => void) {
    this.flight = flight
    const { stream, begun } = flight
    if (begun) {
      this.parts = [begun.octets]
      this.size = begun.octets.length
    }
    this.isWhole = begun?.isWhole === true
    if (this.isWhole) return
    // Nothing is read before there is somebody to give it to.
    stream.pause()
    stream.on('data', (data: Buffer) => {
      if (!flight.received(data.length)) {
        this.to = undefined
        refused()
        return
      }
      flight.copy?.add(data)
      this.keep(data)
      if (this.to && !this.to.write(data)) stream.pause()
    })
    stream.once('end', () => {
      if (isGivenUp(stream)) return
      this.isWhole = true
      flight.copy?.send()
      this.to?.end()
      whole()
    })
  }

  /** Can what was sent be sent again? */
  get canRepeat(): boolean {
    return this.parts !== undefined
  }

  /** From now on the body goes to this stream of a pod, from its beginning. */
  sendTo(request: ClientHttp2Stream): void {
    const { stream } = this.flight
    this.to = request
    request.on('wantTrailers', () => trail(request, this.flight.trailers))
    request.on('drain', () => {
      if (this.to === request) stream.resume()
    })
    let isRoom = true
    for (const part of this.parts ?? []) isRoom = request.write(part)
    if (this.isWhole) request.end()
    else if (isRoom) stream.resume()
  }

  /** Its pod is lost: the client waits until there is another. */
  detach(): void {
    this.to = undefined
    if (!this.isWhole) this.flight.stream.pause()
  }

  /** An answer has begun: nothing is sent again. */
  forget(): void {
    this.parts = undefined
  }

  private keep(data: Buffer): void {
    if (this.parts === undefined) return
    this.size += data.length
    if (this.size > MOST_KEPT) this.parts = undefined
    else this.parts.push(data)
  }
}
