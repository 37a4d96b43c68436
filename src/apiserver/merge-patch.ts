// JSON merge patch (RFC 7386): null removes, objects merge, everything else replaces.

const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The document after the patch; neither input is changed, and the result shares no part with the patch. */
export function applyMergePatch(doc: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return structuredClone(patch)
  const result: Record<string, unknown> = isTree(doc) ? { ...doc } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else
      Object.defineProperty(result, key, {
        value: applyMergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value),
        writable: true,
        enumerable: true,
        configurable: true,
      })
  }
  return result
}
