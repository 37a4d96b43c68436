// Small bodies of streams are gathered before a pod is asked, as those of HTTP/1.1 are.
import { GatheredBody, hasRoom } from '../engine/gathered-body.ts'
import type { Flight } from './exchange.ts'
import type { BodyReader } from './wire/stream.ts'

/** What came of a body before a pod was asked. */
export type Begun = Readonly<{ octets: Buffer; isWhole: boolean }>

/** Is the body of this stream one that a pod waits for? */
export function mayGather({ isBare, asked, core }: Flight): boolean {
  if (isBare || asked.length === undefined || asked.length > core.limits.gathered) return false
  return asked.header('expect') === undefined && hasRoom()
}

/** Reads the body; the pod is asked once it is whole, or there is no room for the rest of it. */
export function gather(flight: Flight): void {
  const body = new Gathering(flight)
  flight.attempt = body
  flight.isDue = true
  flight.stream.read(body)
}

class Gathering implements BodyReader {
  private readonly flight: Flight
  private readonly body: GatheredBody

  constructor(flight: Flight) {
    this.flight = flight
    this.body = new GatheredBody(flight.asked.length!)
  }

  data(buf: Buffer, from: number, to: number): void {
    const { flight } = this
    if (!flight.received(to - from)) {
      this.closed()
      return
    }
    flight.copy?.add(buf, from, to)
    if (!this.body.add(buf, from, to)) this.done(false)
  }

  ended(): void {
    this.done(true)
  }

  private done(isWhole: boolean): void {
    const { flight } = this
    flight.attempt = undefined
    flight.isDue = false
    flight.begun = { octets: this.body.take(), isWhole }
    if (!isWhole) flight.stream.pause()
    flight.goOnWhole()
    if (isWhole) flight.copy?.send()
  }

  /** The stream is over. */
  closed(): void {
    this.body.free()
  }

  drained(): void {}
  late(): void {}
}
