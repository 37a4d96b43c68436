// RolloutInfo as the dashboard's API and `-o json` write it: members that say nothing are left out.

// These come from the user's objects, where a zero is a statement: they are passed on as they are.
const VERBATIM = new Set(['objectMeta', 'steps', 'metrics', 'specAndStatus'])

const saysNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || value === 0 || value === false || isEmptyList(value)

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Metadata without the bookkeeping that nobody reads. */
function metaOf(value: unknown): unknown {
  if (!isRecord(value)) return value
  const { managedFields: _, ...meta } = value
  return meta
}

/** Leaves out zero values, empty texts and empty lists. // argo: the API omits them */
export function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !saysNothing(member))
      .map(([key, member]) => [
        key,
        key === 'objectMeta' ? metaOf(member) : VERBATIM.has(key) ? member : compact(member),
      ]),
  )
}
