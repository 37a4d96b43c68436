// A transport whose writes are tried by the server and stored by nobody: dryRun=All on each of them.
import type { Transport } from '../ports.ts'

/** Wraps `inner` so that no write lasts. Reads pass through. */
export const dryRunTransport = (inner: Transport): Transport => ({
  stream: request => inner.stream(request),
  request: request =>
    inner.request(request.method === 'GET' ? request : { ...request, query: { ...request.query, dryRun: 'All' } }),
})
