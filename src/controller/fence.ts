// No write leaves this process when somebody else may be leading.
import { UnreachableError } from '../kube/errors.ts'
import type { ApiRequest, Transport } from '../ports.ts'

/** Passes reads; refuses writes while `isLeading` does not hold, at the very moment in which they would be sent. */
export const fenced = (inner: Transport, isLeading: () => boolean): Transport => ({
  stream: request => inner.stream(request),
  async request(request: ApiRequest) {
    if (request.method !== 'GET' && !isLeading()) {
      throw new UnreachableError('not sent: this controller no longer leads', request)
    }
    return await inner.request(request)
  },
})
