// Whether to colour: on a terminal, unless --no-color, NO_COLOR or TERM=dumb say otherwise.
import { ANSI, NO_PAINT, type Paint } from '../view/paint.ts'
import type { Context } from './command.ts'

/** The painter for this run. FORCE_COLOR colours pipes too. */
export function paintOf({ flags, env, isTty }: Pick<Context, 'flags' | 'env' | 'isTty'>): Paint {
  if (flags['color'] === false || (env['NO_COLOR'] ?? '') !== '') return NO_PAINT
  const isForced = (env['FORCE_COLOR'] ?? '') !== '' && env['FORCE_COLOR'] !== '0'
  return isTty || isForced ? ANSI : NO_PAINT
}
