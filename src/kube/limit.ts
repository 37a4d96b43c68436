// A client-side limit on requests, for those who ask for one: the API server's own fairness is the better judge, and it
// says 429 when it wants less.
import type { Millis } from '../contract.ts'
import type { ApiRequest, Clock, Transport } from '../ports.ts'

export type Limit = Readonly<{
  /** Requests a second in the long run. */
  qps: number
  /** Requests at once after a quiet time. */
  burst: number
  clock: Clock
}>

type Waiting = Readonly<{ go(): void }>

/** What changes traffic or pods goes first, Events go last: they tell of what is done already. */
const laneOf = ({ path }: ApiRequest): 0 | 1 => (/\/events(\/|$)/.test(path) ? 1 : 0)

/** Passes at most `qps` requests a second; watches are not counted. Those that wait go in order, by lane. */
export function limited(inner: Transport, { qps, burst, clock }: Limit): Transport {
  let tokens = burst
  let filledAt: Millis = clock.now()
  let isScheduled = false
  const lanes: readonly [Waiting[], Waiting[]] = [[], []]

  const refill = (): void => {
    const now = clock.now()
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * qps)
    filledAt = now
  }
  const pump = (): void => {
    refill()
    for (let next = lanes[0][0] ?? lanes[1][0]; next && tokens >= 1; next = lanes[0][0] ?? lanes[1][0]) {
      if (lanes[0].length > 0) lanes[0].shift()
      else lanes[1].shift()
      tokens -= 1
      next.go()
    }
    if (isScheduled || lanes[0].length + lanes[1].length === 0) return
    isScheduled = true
    clock.at(clock.now() + Math.max(1, ((1 - tokens) / qps) * 1000), () => {
      isScheduled = false
      pump()
    })
  }
  return {
    stream: request => inner.stream(request),
    async request(request) {
      await new Promise<void>(go => {
        lanes[laneOf(request)].push({ go })
        pump()
      })
      return await inner.request(request)
    },
  }
}
