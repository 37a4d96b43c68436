// A transport with trouble in it: wraps any other and spoils what a plan or a seed says.
import type { Millis } from '../contract.ts'
import type { ApiRequest, ApiResponse, ApiStream, Clock, Random, Transport } from '../ports.ts'
import { UnreachableError, unanswered } from './errors.ts'
import { bentLines, type StreamFault } from './faulty-stream.ts'
import { REQUEST_TIMEOUT } from './retry.ts'
import { sleep } from './sleep.ts'

export type Fault =
  /** Never arrives. */
  | Readonly<{ is: 'refuse' }>
  /** Arrives, is carried out, and the answer is lost. */
  | Readonly<{ is: 'lose' }>
  /** Is not answered within its time; `commit` says whether it was carried out. */
  | Readonly<{ is: 'stall'; commit?: boolean }>
  /** Answered with an error instead; `retryAfter` in seconds. */
  | Readonly<{ is: 'status'; status: number; reason?: string; message?: string; retryAfter?: number }>
  /** Arrives late. */
  | Readonly<{ is: 'delay'; by: Millis }>
  /** A read that answers what the same read answered so long ago or earlier. */
  | Readonly<{ is: 'stale'; by: Millis }>
  | StreamFault

/** Decides the fault of the `nth` request (from 0; watches count); undefined lets it pass. */
export type FaultPlan = (request: ApiRequest, nth: number) => Fault | undefined

export type FaultyOptions = Readonly<{ clock: Clock; plan: FaultPlan }>

/** Wraps `inner`. Faults that do not fit (a cut stream for a plain request) let it pass. */
export function faultyTransport(inner: Transport, { clock, plan }: FaultyOptions): Transport {
  let count = 0
  const answers = new Map<string, { at: Millis; response: ApiResponse }[]>()

  /** What both kinds of request share: undefined means that it goes on to the server. */
  const before = async (request: ApiRequest, fault: Fault | undefined): Promise<ApiResponse | undefined> => {
    if (fault?.is === 'refuse') throw new UnreachableError('connection refused', request)
    if (fault?.is === 'delay') await sleep(clock, fault.by, request.signal)
    if (fault?.is === 'stall') {
      if (fault.commit) await inner.request(request)
      await sleep(clock, request.timeout ?? REQUEST_TIMEOUT, request.signal)
      throw unanswered('no answer in time', request, { isTimeout: true })
    }
    return fault?.is === 'status' ? statusResponse(fault) : undefined
  }

  const request: Transport['request'] = async wanted => {
    const fault = plan(wanted, count++)
    const instead = await before(wanted, fault)
    if (instead) return instead
    const key = `${wanted.path}?${JSON.stringify(wanted.query ?? {})}`
    const response = await inner.request(wanted)
    if (fault?.is === 'lose') throw unanswered('connection reset', wanted)
    if (wanted.method !== 'GET') return response
    const past = answers.get(key) ?? []
    answers.set(key, [...past.slice(-20), { at: clock.now(), response }])
    if (fault?.is !== 'stale') return response
    return past.findLast(one => one.at <= clock.now() - fault.by)?.response ?? response
  }

  const stream: Transport['stream'] = async wanted => {
    const fault = plan(wanted, count++)
    const instead = await before(wanted, fault)
    if (instead) return streamOf(instead)
    const real = await inner.stream(wanted)
    if (fault?.is === 'lose') {
      real.close()
      throw unanswered('connection reset', wanted)
    }
    return fault && 'after' in fault ? bentLines(real, fault, clock) : real
  }

  return { request, stream }
}

function statusResponse(fault: Extract<Fault, { is: 'status' }>): ApiResponse {
  const { status, reason = '', message = `injected ${status}`, retryAfter } = fault
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code: status }
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter)
  return { status, headers, body: JSON.stringify(body) }
}

const streamOf = ({ status, headers, body }: ApiResponse): ApiStream => ({
  status,
  headers,
  lines: (async function* () {
    yield body
  })(),
  close: () => {},
})

const STATUSES = [
  [409, 'Conflict'],
  [410, 'Expired'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
] as const

/** A plan that spoils about `rate` (0–1) of all requests, each with a fault drawn from `random`. 409 meets only
 * writes, 410 only reads; nothing here makes a server break its own promises. */
export function randomFaults(random: Random, rate: number): FaultPlan {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  return request => {
    if (random() >= rate) return undefined
    const isWatch = request.query?.['watch'] === true
    const isRead = request.method === 'GET'
    const [status, reason] = pick(STATUSES.filter(([code]) => (isRead ? code !== 409 : code !== 410)))
    const after = Math.floor(random() * 8)
    const common: readonly Fault[] = [
      { is: 'refuse' },
      { is: 'lose' },
      { is: 'stall', commit: !isRead && random() < 0.5 },
      { is: 'delay', by: Math.floor(random() * 10_000) },
      { is: 'status', status, reason, ...(status === 429 && { retryAfter: 1 + Math.floor(random() * 3) }) },
    ]
    const streams: readonly Fault[] = [
      { is: 'cut', after },
      { is: 'end', after },
      { is: 'truncate', after },
      { is: 'garbage', after },
      { is: 'freeze', after },
      { is: 'drip', after, each: 500 },
      { is: 'lag', after, by: Math.floor(random() * 30_000) },
      { is: 'repeat', after },
      { is: 'error', after, status, reason },
      { is: 'no-bookmarks', after: 0 },
    ]
    return pick(isWatch ? [...common, ...streams] : common)
  }
}
