// The one kind of error that a condition may end with.

/** A condition that cannot be read, does not fit its types, or fails when run; the message is what people read. */
export class ExprError extends Error {}

/** Throws an ExprError. */
export function fail(message: string): never {
  throw new ExprError(message)
}
