// A request that is answered with an error, as Argo's dashboard answers: {error, code, message}.

/** Carries the HTTP status to answer with. */
export class HttpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'HttpError'
    this.status = status
  }
}

/** gRPC's numbers, which clients of the API look at. */
const GRPC: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  405: 12,
  409: 10,
  413: 8,
  422: 3,
  503: 14,
}

/** Status and body for any error. Errors of the Kubernetes API keep their status. */
export function errorReply(error: unknown): Readonly<{ status: number; body: Record<string, unknown> }> {
  const message = error instanceof Error ? error.message : String(error)
  const { code } = error as { code?: unknown }
  const status =
    error instanceof HttpError ? error.status : typeof code === 'number' && code >= 400 && code < 600 ? code : 500
  return { status, body: { error: message, code: GRPC[status] ?? 2, message } }
}
