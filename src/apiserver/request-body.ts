// The body of a write: which content types are taken, and what is wrong with the JSON in it.
import { duplicateKeys } from './duplicate-keys.ts'
import type { Incoming } from './exchange.ts'
import { badRequest, unsupportedMediaType } from './refusals.ts'

export type Body = Readonly<{ value: unknown; duplicates: readonly string[] }>

const PROTOBUF = 'application/vnd.kubernetes.protobuf'

/** `application/json; charset=utf-8` -> `application/json`. */
export const mediaType = (header: string): string => (header.split(';')[0] ?? '').trim().toLowerCase()

/** Reads a JSON object. Raises 400 (no JSON) and 415 (another format). */
export const readBody = ({ body, contentType }: Incoming): Body => {
  const type = mediaType(contentType)
  if (type === PROTOBUF) {
    throw unsupportedMediaType(type, ['application/json'], 'this server reads no protobuf; use create -f with a file')
  }
  if (type !== '' && type !== 'application/json') {
    throw unsupportedMediaType(type, ['application/json'], 'send JSON')
  }
  return parse(body)
}

/** Reads the body of a DELETE, which may be missing: an empty object then. */
export const readOptions = (incoming: Incoming): Readonly<Record<string, unknown>> => {
  if (incoming.body.trim() === '') return {}
  const { value } = readBody(incoming)
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Reads a patch document of any shape. Raises 400. */
export const parse = (text: string): Body => {
  try {
    const value: unknown = JSON.parse(text)
    return { value, duplicates: duplicateKeys(text) }
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`)
  }
}
