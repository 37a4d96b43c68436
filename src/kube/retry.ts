// Asking again where that is always right: reads whose connection broke, and requests the server asked to repeat.
import type { Millis } from '../contract.ts'
import type { ApiRequest, ApiResponse, Clock, Transport } from '../ports.ts'
import { retryAfterOf, UnreachableError } from './errors.ts'
import { sleep } from './sleep.ts'

const TRIES = 10
/** A request's time when it names none, in milliseconds. */
export const REQUEST_TIMEOUT: Millis = 15_000

/** 429 and 503 with Retry-After mean that the request has not been looked at. An eviction's 429 is an answer. */
const isPutOff = ({ path }: ApiRequest, { status, headers }: ApiResponse): boolean =>
  (status === 429 || status === 503) && retryAfterOf(headers) !== undefined && !path.endsWith('/eviction')

/** Repeats a read once when its connection failed, and any request that was put off, up to 10 times and as long as
 * the waiting fits into the request's time-out. Other failures go through: writes are never repeated blindly. */
export function retryTransport(inner: Transport, { clock }: Readonly<{ clock: Clock }>): Transport {
  const once = async (request: ApiRequest): Promise<ApiResponse> => {
    try {
      return await inner.request(request)
    } catch (error) {
      const isRead = request.method === 'GET' && error instanceof UnreachableError && !error.isTimeout
      if (!isRead || request.signal?.aborted) throw error
      return inner.request(request)
    }
  }

  return {
    stream: request => inner.stream(request),
    async request(request) {
      const until = clock.now() + (request.timeout ?? REQUEST_TIMEOUT)
      for (let tries = 1; ; tries++) {
        const response = await once(request)
        const wait = retryAfterOf(response.headers) ?? 0
        if (!isPutOff(request, response) || tries === TRIES || clock.now() + wait > until) return response
        await sleep(clock, wait, request.signal)
        if (request.signal?.aborted) return response
      }
    },
  }
}
