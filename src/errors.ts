// The error kinds that are not part of the adapter contract.

/** A mistake that a person can mend: printed as `pintle: MESSAGE`, with what to do next, never with a stack. */
export class UserError extends Error {
  /** Stable code such as PIN1001; see docs/errors. */
  readonly code: string
  /** What to do about it, one sentence. */
  readonly hint: string
  readonly exitCode: number
  constructor(code: string, message: string, hint = '', exitCode = 1) {
    super(message)
    this.name = 'UserError'
    this.code = code
    this.hint = hint
    this.exitCode = exitCode
  }
}
