// Takes chance out of a transcript: uids, versions, times, generated names, addresses; whatever differs between runs.

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g
const ADDRESS = /10\.96\.\d+\.\d+/g

// Versions in order; those of lists are left out, since other writers on a real server move them.
const versionsIn = (value: unknown, found: Set<string>): Set<string> => {
  if (Array.isArray(value)) for (const item of value) versionsIn(item, found)
  if (!isObject(value)) return found
  for (const [key, member] of Object.entries(value)) {
    if (key === 'resourceVersion' && typeof member === 'string' && !isListMeta(value)) found.add(member)
    else versionsIn(member, found)
  }
  return found
}

const isListMeta = (metadata: Json): boolean => !('name' in metadata)

/** The value with names such as `<uid 1>` and `<v3>` in place of what the run made up. Versions keep their order. */
export const normalised = (value: unknown, ns: string): unknown => {
  const versions = [...versionsIn(value, new Set())].sort((a, b) => Number(a) - Number(b))
  const uids = new Map<string, string>()
  const generated = new Map<string, string>()

  const text = (original: string): string => {
    let result = original.replaceAll(ns, '<ns>')
    for (const [name, stand] of generated) result = result.replaceAll(name, stand)
    return result
      .replace(UUID, uid => {
        if (!uids.has(uid)) uids.set(uid, `<uid ${uids.size + 1}>`)
        return uids.get(uid) ?? ''
      })
      .replace(TIME, '<time>')
      .replace(ADDRESS, '<address>')
  }
  const member = (parent: Json, key: string, item: unknown): unknown => {
    if (key === 'resourceVersion' && typeof item === 'string') {
      return isListMeta(parent) ? '<list>' : `<v${versions.indexOf(item) + 1}>`
    }
    if (key === 'continue') return '<token>'
    return walk(item)
  }
  const walk = (item: unknown): unknown => {
    if (typeof item === 'string') return text(item)
    if (Array.isArray(item)) return item.map(walk)
    if (!isObject(item)) return item
    const { generateName, name } = item
    if (typeof generateName === 'string' && typeof name === 'string' && name.startsWith(generateName)) {
      if (/^[bcdfghjklmnpqrstvwxz2456789]{5}$/.test(name.slice(generateName.length))) {
        generated.set(name, `${generateName}<5>`)
      }
    }
    const entries = Object.entries(item)
      // Nobody here keeps track of who wrote which field.
      .filter(([key, member]) => key !== 'managedFields' && !(key === 'creationTimestamp' && member === null))
      // A list of custom objects says that it does not go on; so does silence.
      .filter(([key, member]) => !(key === 'continue' && member === ''))
      // Prose about columns that nobody reads by program.
      .filter(([key]) => !(key === 'description' && 'priority' in item))
      .map(([key, inner]) => [text(key), member(item, key, inner)] as const)
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  // Steps keep their order: they tell a story.
  if (!isObject(value)) return walk(value)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item)]))
}
