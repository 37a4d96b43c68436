// Makes the definition of a built-in kind from what is special about it.

import type { Tree } from '../api/rules/tree.ts'
import type { KubeObject } from '../contract.ts'
import { fieldsOf } from './field-table.ts'
import type { Cause, Column, GenerationRule, KindDef, ScaleRule } from './model.ts'
import { decodeTyped } from './typed-decode.ts'

export type Special = Readonly<{
  /** `v1`, `apps/v1`. */
  in: string
  kind: string
  plural?: string
  shortNames?: readonly string[]
  categories?: readonly string[]
  /** False for kinds outside namespaces. */
  namespaced?: boolean
  scale?: ScaleRule
  generation?: GenerationRule
  selectable?: Readonly<Record<string, string>>
  columns?: readonly Column[]
  /** Fills in what is absent; the object is already read by its field table. */
  defaults?: (object: Tree) => void
  causes?: (object: Tree, old?: Tree) => readonly Cause[]
}>

/** Replaces the content of an object by what the field tables make of it. Throws StatusError 400 on a wrong type. */
function tidy(object: Tree, kind: string, version: string): void {
  const { value } = decodeTyped(kind, version, object)
  for (const key of Object.keys(object)) delete object[key]
  Object.assign(object, value)
}

/** The definition of a built-in kind: typed reading, defaults, rules and columns in one. */
export function builtIn(special: Special): KindDef {
  const { kind, defaults, causes } = special
  const [group = '', version = special.in] = special.in.includes('/') ? special.in.split('/') : ['', special.in]
  const lower = kind.toLowerCase()
  return {
    group,
    version,
    kind,
    listKind: `${kind}List`,
    plural: special.plural ?? `${lower}s`,
    singular: lower,
    shortNames: special.shortNames ?? [],
    categories: special.categories ?? [],
    namespaced: special.namespaced ?? true,
    builtIn: true,
    status: fieldsOf(kind)?.fields.has('status') === true,
    ...(special.scale ? { scale: special.scale } : {}),
    generation: special.generation ?? 'none',
    columns: special.columns ?? [],
    selectable: special.selectable ?? {},
    defaults(object) {
      tidy(object, kind, version)
      defaults?.(object)
    },
    ...(causes
      ? { validate: (object: KubeObject, old?: KubeObject) => causes(object as Tree, old as Tree | undefined) }
      : {}),
    unknownFields: object => decodeTyped(kind, version, object).unknown,
  }
}
