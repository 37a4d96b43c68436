// Plain JSON values: copying, freezing, and reading and writing at dotted paths.

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A mutable deep copy; members that are undefined are left out, as JSON would. */
export const cloneJson = <T>(value: T): T => copy(value) as T

const copy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(item => (item === undefined ? null : copy(item)))
  if (!isObject(value)) return value
  const result: Json = {}
  for (const key in value) {
    const member = value[key]
    if (member !== undefined) put(result, key, copy(member))
  }
  return result
}

// An assignment to `__proto__` would set the prototype instead of a member.
const put = (target: Json, key: string, value: unknown): void => {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/**
 * Freezes a value that was made here, in place. Stops at frozen members: those come from stored objects, which are
 * frozen to the bottom.
 */
export const freezeJson = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const key in value) freezeJson(value[key])
  return Object.freeze(value)
}

/** Splits `spec.containers[0].name` or `.spec.replicas` into its steps. */
export const pathSteps = (path: string): string[] =>
  [...path.matchAll(/\["([^"]*)"\]|\['([^']*)'\]|\[([^\]]*)\]|([^.[\]]+)/g)].map(
    ([, double, single, index, plain]) => double ?? single ?? index ?? plain ?? '',
  )

/** The value at a dotted path, undefined where a step is missing. */
export const readPath = (value: unknown, path: string): unknown => {
  let here = value
  for (const step of pathSteps(path)) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Json)[step]
  }
  return here
}

/** Sets the value at a dotted path in a mutable object and makes the objects on the way. */
export const writePath = (object: Json, path: string, value: unknown): void => {
  const steps = pathSteps(path)
  const last = steps.pop()
  if (last === undefined) return
  let here = object
  for (const step of steps) {
    if (!isObject(here[step])) here[step] = {}
    here = here[step] as Json
  }
  here[last] = value
}

/** Deletes the member at a dotted path of a mutable object; nothing happens when it is not there. */
export const dropPath = (object: Json, path: string): void => {
  const steps = pathSteps(path)
  const last = steps.pop()
  if (last === undefined) return
  let here: unknown = object
  for (const step of steps) {
    if (typeof here !== 'object' || here === null) return
    here = (here as Json)[step]
  }
  if (typeof here === 'object' && here !== null) delete (here as Json)[last]
}

/** The object at a member, or an empty one. */
export const objectAt = (value: unknown, key: string): Readonly<Json> => {
  const member = isObject(value) ? value[key] : undefined
  return isObject(member) ? member : {}
}
