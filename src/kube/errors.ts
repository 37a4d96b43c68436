// What can go wrong with a request to Kubernetes: an answered error, no answer, or an unknown outcome.

import type { Millis } from '../contract.ts'
import type { ApiRequest, ApiResponse } from '../ports.ts'

export type ApiErrorDetails = Readonly<{
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: readonly Readonly<{ reason?: string; message?: string; field?: string }>[]
  retryAfterSeconds?: number
}>

export type RequestLine = Readonly<Pick<ApiRequest, 'method' | 'path'>>

/** The API server answered with a status outside 200–299. */
export class ApiError extends Error {
  /** HTTP status. */
  readonly code: number
  /** Kubernetes' one-word reason (`NotFound`, `AlreadyExists`, …); empty when the body was no Status. */
  readonly reason: string
  readonly details: ApiErrorDetails
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfter: Millis | undefined
  readonly request: RequestLine
  constructor(
    code: number,
    reason: string,
    message: string,
    request: RequestLine,
    details: ApiErrorDetails = {},
    retryAfter?: Millis,
  ) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.reason = reason
    this.details = details
    this.retryAfter = retryAfter
    this.request = { method: request.method, path: request.path }
  }
}

/** No answer, and the request has changed nothing: refused, not resolved, or a read that was cut off. */
export class UnreachableError extends Error {
  readonly request: RequestLine
  /** The time for the request was over; asking again at once would only double the wait. */
  readonly isTimeout: boolean
  constructor(message: string, request: RequestLine, options?: ErrorOptions & Readonly<{ isTimeout?: boolean }>) {
    super(message, options)
    this.name = 'UnreachableError'
    this.request = { method: request.method, path: request.path }
    this.isTimeout = options?.isTimeout ?? false
  }
}

/** A write was sent and its answer is unknown: it may or may not have happened. Never repeat it blindly;
 * read the object live first. */
export class AmbiguousError extends Error {
  readonly request: RequestLine
  constructor(message: string, request: RequestLine, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AmbiguousError'
    this.request = { method: request.method, path: request.path }
  }
}

/** The error for a request that was sent but not answered: ambiguous for writes, harmless for reads. */
export const unanswered = (
  message: string,
  request: RequestLine,
  options?: ErrorOptions & Readonly<{ isTimeout?: boolean }>,
): Error =>
  request.method === 'GET'
    ? new UnreachableError(message, request, options)
    : new AmbiguousError(message, request, options)

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** JSON or undefined, for bodies that may be anything. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Retry-After in milliseconds; only the seconds form, which is all that API servers send. */
export function retryAfterOf(headers: Readonly<Record<string, string>>): Millis | undefined {
  const seconds = headers['retry-after']
  return seconds !== undefined && /^\d+$/.test(seconds) ? Number(seconds) * 1000 : undefined
}

/** An ApiError from a Status object: the body of a failed request, or the object of an ERROR watch event. */
export function errorOfStatus(
  status: unknown,
  request: RequestLine,
  code?: number,
  headers: Readonly<Record<string, string>> = {},
): ApiError {
  const body = isRecord(status) && status['kind'] === 'Status' ? status : {}
  const details = isRecord(body['details']) ? (body['details'] as ApiErrorDetails) : {}
  const http = code ?? (typeof body['code'] === 'number' ? body['code'] : 500)
  const reason = typeof body['reason'] === 'string' ? body['reason'] : ''
  const message = typeof body['message'] === 'string' && body['message'] !== '' ? body['message'] : `HTTP ${http}`
  const hinted = details.retryAfterSeconds
  const retryAfter = retryAfterOf(headers) ?? (hinted === undefined ? undefined : hinted * 1000)
  return new ApiError(http, reason, message, request, details, retryAfter)
}

/** An ApiError from a whole response. A body that is no Status (a proxy's page) becomes part of the message. */
export function errorOfResponse(response: ApiResponse, request: RequestLine): ApiError {
  const status = parseJson(response.body)
  const error = errorOfStatus(status, request, response.status, response.headers)
  if (isRecord(status) || response.body.trim() === '') return error
  const message = `HTTP ${response.status}: ${response.body.trim().slice(0, 200)}`
  return new ApiError(error.code, '', message, request, {}, error.retryAfter)
}

const reasonIs = (error: unknown, ...reasons: readonly string[]): error is ApiError =>
  error instanceof ApiError && reasons.includes(error.reason)

const codeIs = (error: unknown, code: number): error is ApiError => error instanceof ApiError && error.code === code

/** 404: the object, its kind or its namespace does not exist. */
export const isNotFound = (error: unknown): error is ApiError => codeIs(error, 404)
/** For `catch` of a read: an object that does not exist is undefined; all else is thrown. */
export function unlessNotFound(error: unknown): undefined {
  if (isNotFound(error)) return undefined
  throw error
}
/** 409 because the object has moved on; not AlreadyExists. */
export const isConflict = (error: unknown): error is ApiError => codeIs(error, 409) && !reasonIs(error, 'AlreadyExists')
export const isAlreadyExists = (error: unknown): error is ApiError => reasonIs(error, 'AlreadyExists')
/** 410: the version or continue token is too old; list anew. */
export const isGone = (error: unknown): error is ApiError => codeIs(error, 410) || reasonIs(error, 'Expired', 'Gone')
export const isInvalid = (error: unknown): error is ApiError => codeIs(error, 422)
/** 429: the server sheds load, or a disruption budget forbids an eviction. */
export const isTooManyRequests = (error: unknown): error is ApiError => codeIs(error, 429)
export const isForbidden = (error: unknown): error is ApiError => codeIs(error, 403)
export const isUnauthorized = (error: unknown): error is ApiError => codeIs(error, 401)
export const isUnavailable = (error: unknown): error is ApiError => codeIs(error, 503)
/** 403 because the namespace is being deleted: creating anything there is pointless. */
export const isNamespaceTerminating = (error: unknown): error is ApiError =>
  isForbidden(error) && (error.details.causes ?? []).some(cause => cause.reason === 'NamespaceTerminating')
/** 504 because the asked version lies in the server's future, as after a restored backup. */
export const isTooLargeVersion = (error: unknown): error is ApiError =>
  error instanceof ApiError &&
  ((error.details.causes ?? []).some(cause => cause.reason === 'ResourceVersionTooLarge') ||
    (error.code === 504 && error.message.startsWith('Too large resource version')))
export const isAmbiguous = (error: unknown): error is AmbiguousError => error instanceof AmbiguousError
export const isUnreachable = (error: unknown): error is UnreachableError => error instanceof UnreachableError
