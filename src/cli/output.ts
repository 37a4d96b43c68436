// -o json | yaml | name: the same data for programs.

import type { KubeObject } from '../contract.ts'
import { UserError } from '../errors.ts'
import type { Context } from './command.ts'

type Format = 'json' | 'yaml' | 'name'

/** The format asked for, undefined for text. Raises UserError PIN1002 on an unknown one. */
export function formatOf({ flags }: Pick<Context, 'flags'>): Format | undefined {
  const format = flags['output']
  if (format === undefined) return undefined
  if (format === 'json' || format === 'yaml' || format === 'name') return format
  throw new UserError('PIN1002', `unknown output format "${String(format)}"`, 'Use one of: json, yaml, name.')
}

/** Prints data in the format; `names` is what -o name says. */
export async function printData(context: Context, format: Format, data: unknown, names: readonly string[]) {
  if (format === 'name') {
    for (const name of names) context.out(name)
    return
  }
  if (format === 'json') return context.out(JSON.stringify(data, null, 2))
  const { stringify } = await import('yaml')
  context.write(stringify(data))
}

const PLURALS: Readonly<Record<string, string>> = { Deployment: 'deployment.apps', ReplicaSet: 'replicaset.apps' }

/** `rollout.argoproj.io/cart`, as kubectl names objects. */
export const nameOf = ({ kind, metadata }: KubeObject): string =>
  `${PLURALS[kind] ?? `${kind.toLowerCase()}.argoproj.io`}/${metadata.name}`

/** What a verb says when it is done: its sentence, or the object when a format was asked for. */
export async function say(context: Context, object: KubeObject, sentence: string): Promise<void> {
  const format = formatOf(context)
  if (format === undefined) return context.out(sentence)
  await printData(context, format, object, [nameOf(object)])
}
