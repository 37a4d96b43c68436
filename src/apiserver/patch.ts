// Patches: three ways to say what changes, applied to the object as it is, then stored like any update.
import type { KubeObject } from '../contract.ts'
import type { Core } from './core.ts'
import { applyJsonPatch } from './json-patch.ts'
import { cloneJson } from './json-value.ts'
import { applyMergePatch } from './merge-patch.ts'
import type { KindDef } from './model.ts'
import { StatusError } from './model.ts'
import { unsupportedMediaType } from './refusals.ts'
import { strategicMerge } from './strategic-merge.ts'
import type { UpdateOptions } from './update.ts'
import { updateObject } from './update.ts'

export type PatchType = 'merge' | 'json' | 'strategic'

export const MEDIA_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}

/** The patch types that a kind takes, as media types. */
export const patchTypesOf = (def: KindDef): string[] =>
  def.builtIn ? [MEDIA_TYPES.json, MEDIA_TYPES.merge, MEDIA_TYPES.strategic] : [MEDIA_TYPES.json, MEDIA_TYPES.merge]

/** A document after a patch. Raises 400 or 422 for a patch that cannot be applied. */
export const applyPatch = (kind: string, live: unknown, type: PatchType, patch: unknown): unknown => {
  if (type === 'json') return applyJsonPatch(live, patch)
  if (type === 'strategic') return strategicMerge(kind, live, patch)
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    const word = patch === null ? 'null' : Array.isArray(patch) ? 'array' : typeof patch
    const message = `error decoding patch: json: cannot unmarshal ${word} into Go value of type map[string]interface {}`
    throw new StatusError(400, 'BadRequest', message)
  }
  return applyMergePatch(live, patch)
}

/** Patches an object. Raises 400, 404, 409 (the patch names an old version), 415, 422. */
export const patchObject = (
  core: Core,
  def: KindDef,
  at: Readonly<{ namespace: string; name: string }>,
  type: PatchType,
  patch: unknown,
  options: UpdateOptions,
): KubeObject => {
  if (type === 'strategic' && !def.builtIn) {
    throw unsupportedMediaType(MEDIA_TYPES.strategic, patchTypesOf(def))
  }
  const own = cloneJson(patch)
  return updateObject(core, def, at, existing => applyPatch(def.kind, existing, type, own), {
    ...options,
    patched: true,
  })
}
