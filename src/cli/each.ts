// Verbs that take several names: each is done, failures are told one by one.
import type { Context } from './command.ts'
import { errorText } from './error-text.ts'

/** Runs `work` for every name in turn; exit code 1 when one of them failed. */
export async function each(context: Context, names: readonly string[], work: (name: string) => Promise<void>) {
  let code = 0
  for (const name of names) {
    try {
      await work(name)
    } catch (error) {
      context.err(errorText(error, context.program))
      code = 1
    }
  }
  return code
}
