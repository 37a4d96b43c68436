// Small bodies of streams are gathered before a pod is asked, as those of HTTP/1.1 are.
import { GatheredBody, hasRoom } from '../engine/gathered-body.ts'
import { isGivenUp } from './codes.ts'
import type { Flight } from './exchange.ts'

/** What came of a body before a pod was asked. */
export type Begun = Readonly<{ octets: Buffer; isWhole: boolean }>

/** Is the body of this stream one that a pod waits for? */
export function mayGather({ isBare, asked, core }: Flight): boolean {
  if (isBare || asked.length === undefined || asked.length > core.limits.gathered) return false
  return asked.header('expect') === undefined && hasRoom()
}

/** Reads the body; the pod is asked once it is whole, or there is no room for the rest of it. */
export function gather(flight: Flight): void {
  const { stream } = flight
  const body = new GatheredBody(flight.asked.length!)
  const done = (isWhole: boolean): void => {
    stream.off('data', take).off('end', end).off('close', gone)
    flight.isDue = false
    flight.begun = { octets: body.take(), isWhole }
    if (!isWhole) stream.pause()
    flight.goOnWhole()
    if (isWhole) flight.copy?.send()
  }
  const take = (data: Buffer): void => {
    if (!flight.received(data.length)) gone()
    else {
      flight.copy?.add(data)
      if (!body.add(data, 0, data.length)) done(false)
    }
  }
  const end = (): void => {
    if (!isGivenUp(stream)) done(true)
  }
  const gone = (): void => {
    stream.off('data', take).off('end', end)
    body.free()
  }
  flight.isDue = true
  stream.on('data', take).once('end', end).once('close', gone)
}
