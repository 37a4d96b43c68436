// What the API server makes of a manifest of one of our kinds: the embedded server's own steps, without a store.
import { crds } from '../../src/api/crd.ts'
import { kindsOf } from '../../src/apiserver/crds.ts'
import { causesOf, decode } from '../../src/apiserver/decode.ts'
import { type KindDef, StatusError } from '../../src/apiserver/model.ts'
import type { KubeObject } from '../../src/contract.ts'

export type View =
  | Readonly<{ want: 'accepted'; stored: KubeObject; pruned: readonly string[] }>
  | Readonly<{ want: 'rejected'; fields: readonly string[]; messages: readonly string[] }>

const kinds: ReadonlyMap<string, KindDef> = new Map(
  crds()
    .flatMap(crd => kindsOf(crd))
    .map(def => [def.kind, def]),
)

/** The schema of a kind's objects. */
export const schemaOfKind = (kind: string): Readonly<Record<string, unknown>> => kinds.get(kind)!.schema!

// A sentence of the real server that the tables leave out: the mistakes before it are what counts.
const isRemark = (message: string): boolean => message.includes('some validation rules were not checked')

/** Creates, or with `old` updates; an update keeps the old status where the kind has a status subresource. */
export function submit(kind: string, manifest: unknown, old?: KubeObject): View {
  const def = kinds.get(kind)!
  const pruned: string[] = []
  const warn = (text: string) => void pruned.push(/"(.*)"/.exec(text)?.[1] ?? text)
  try {
    const draft = decode(def, manifest, { fieldValidation: 'Warn', warn }) as unknown as Record<string, unknown>
    const before = old && (decode(def, old, { fieldValidation: 'Ignore' }) as unknown as KubeObject)
    if (def.status) delete draft['status']
    if (def.status && before?.['status'] !== undefined) draft['status'] = before['status']
    const object = draft as unknown as KubeObject
    const causes = causesOf(def, object, before)
    if (causes.length === 0) return { want: 'accepted', stored: object, pruned: pruned.sort() }
    return refused(causes)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return refused(error.details?.causes ?? [{ message: error.message }])
  }
}

function refused(causes: readonly Readonly<{ field?: string; message: string }>[]): View {
  const told = causes.filter(cause => !isRemark(cause.message))
  // The tables write the place of a mistake without a place as '', the wire as <nil>.
  const fields = [...new Set(told.map(({ field = '' }) => (field === '<nil>' ? '' : field)))].sort()
  return { want: 'rejected', fields, messages: told.map(cause => cause.message).sort() }
}
