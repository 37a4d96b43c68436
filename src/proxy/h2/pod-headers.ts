// The head of a request as an HTTP/2 pod gets it.
import type { OutgoingHttpHeaders } from 'node:http2'
import type { Request } from './mirror.ts'

/** Headers for a pod that speaks h2c. TE is what gRPC servers insist on. */
export function podHeaders({ asked, target, fields }: Request): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {
    ':method': asked.method(),
    ':path': target,
    ':authority': asked.host(),
    ':scheme': 'http',
    te: 'trailers',
  }
  for (const [name, value] of fields) {
    const before = headers[name]
    headers[name] = before === undefined ? value : [before, value].flat()
  }
  return headers
}
