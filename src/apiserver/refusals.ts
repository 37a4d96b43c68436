// The well-known refusals of the Kubernetes API, word for word: kubectl and controllers match on these texts.
import type { Cause, KindDef, StatusDetails } from './model.ts'
import { qualifiedPlural, StatusError } from './model.ts'

type Named = Pick<KindDef, 'group' | 'plural'>

const about = (def: Named, name: string, more: StatusDetails = {}): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(def.group === '' ? {} : { group: def.group }),
  kind: def.plural,
  ...more,
})

/** 400: the request itself makes no sense. */
export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message)

/** 404 for an object. */
export const notFound = (def: Named, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${qualifiedPlural(def)} "${name}" not found`, about(def, name))

/** 404 for a path that leads nowhere. */
export const noSuchPath = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})

/** 409 for a name that is taken. */
export const alreadyExists = (def: Named, name: string, ending = false): StatusError => {
  const message = `${ending ? 'object is being deleted: ' : ''}${qualifiedPlural(def)} "${name}" already exists`
  return new StatusError(409, 'AlreadyExists', message, about(def, name))
}

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

/** 409 for a write that starts from an old version or names another uid. */
export const conflict = (def: Named, name: string, why: string = MODIFIED): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualifiedPlural(def)} "${name}": ${why}`,
    about(def, name),
  )

/** 409 for a delete whose precondition fails; names the kind where other conflicts name its plural. */
export const failedPrecondition = (
  def: Pick<KindDef, 'group' | 'kind'>,
  name: string,
  field: 'UID' | 'ResourceVersion',
  asked: string,
  actual: string | undefined,
): StatusError => {
  const since = field === 'UID' ? 'deleted and then recreated' : 'modified'
  const why = `the ${field} in the precondition (${asked}) does not match the ${field} in record (${actual}). The object might have been ${since}`
  return conflict({ group: def.group, plural: def.kind }, name, why)
}

/** 403 with a reason behind `is forbidden: `. */
export const forbidden = (def: Named, name: string, why: string, details: StatusDetails = {}): StatusError =>
  new StatusError(403, 'Forbidden', `${qualifiedPlural(def)} "${name}" is forbidden: ${why}`, about(def, name, details))

/** 405: the kind is there, the verb is not. */
export const methodNotAllowed = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

/** 410: the version asked for has left the log. */
export const expired = (message: string): StatusError => new StatusError(410, 'Expired', message)

/** 422: the object breaks the rules of its kind; at least one cause. */
export const invalid = (def: Pick<KindDef, 'group' | 'kind'>, name: string, causes: readonly Cause[]): StatusError => {
  const lines = [...new Set(causes.map(cause => `${cause.field}: ${cause.message}`))]
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  const kind = def.group === '' ? def.kind : `${def.kind}.${def.group}`
  return new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${text}`, {
    ...(name === '' ? {} : { name }),
    ...(def.group === '' ? {} : { group: def.group }),
    ...(def.kind === '' ? {} : { kind: def.kind }),
    causes: causes.map(({ reason, message, field }) => ({ reason, message, field })),
  })
}

/** 415 with the types that would do. */
export const unsupportedMediaType = (sent: string, accepted: readonly string[], hint = ''): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}${
      hint === '' ? '' : `; ${sent === '' ? 'no content type' : sent} was sent: ${hint}`
    }`,
  )

/** 504: a version that the server has not reached yet. */
export const versionTooLarge = (asked: number, current: number): StatusError =>
  new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
