// From an error to the answer that a client gets: a Status, with the wait that it names as a header.
import type { Answer } from './exchange.ts'
import { jsonAnswer } from './exchange.ts'
import { StatusError } from './model.ts'
import { lineOf } from './rendering.ts'

/** The answer to an error. */
export const refusal = (error: unknown): Answer => {
  const status =
    error instanceof StatusError
      ? error
      : new StatusError(500, 'InternalError', `Internal error occurred: ${(error as Error).stack ?? error}`)
  const { retryAfterSeconds } = status.details ?? {}
  const headers: Record<string, string> = retryAfterSeconds ? { 'retry-after': `${retryAfterSeconds}` } : {}
  return jsonAnswer(status.code, lineOf({ ...status.body(), reason: status.reason || undefined }), headers)
}
