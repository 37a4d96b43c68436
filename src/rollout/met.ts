// What a create met instead of an answer: an object of its name, or silence.
import { type KubeObject, refOf } from '../contract.ts'
import type { Kube } from '../ports.ts'

/** The object that is there although the create of `wanted` ended with `error`: it was there before (AlreadyExists), or the
 * request made it and nobody answered, and it may have come to its end meanwhile. Undefined: the error says something else.
 * Raises the error when there is no such object after all. */
export async function metBy(error: unknown, wanted: KubeObject, kube: Kube): Promise<KubeObject | undefined> {
  const { reason, name } = error as Readonly<{ reason?: unknown; name?: unknown }>
  if (reason !== 'AlreadyExists' && name !== 'AmbiguousError') return undefined
  return await kube.get(refOf(wanted)).catch(why => {
    throw why.reason === 'NotFound' ? error : why
  })
}
