// A transport whose writes are tried by the server and stored by nobody: dryRun=All on each of them.
import type { ApiRequest, Transport } from '../ports.ts'

/** The server takes the options of a deletion from its body if there is one, and then overlooks the query. */
function dry(request: ApiRequest): ApiRequest {
  if (request.method === 'GET') return request
  const marked = { ...request, query: { ...request.query, dryRun: 'All' } }
  if (request.method !== 'DELETE' || request.body === undefined) return marked
  return { ...marked, body: JSON.stringify({ ...JSON.parse(request.body), dryRun: ['All'] }) }
}

/** Wraps `inner` so that no write lasts. Reads pass through. */
export const dryRunTransport = (inner: Transport): Transport => ({
  stream: request => inner.stream(request),
  request: request => inner.request(dry(request)),
})
