// Mutable JSON objects while they are given their defaults: reading members of a known form, filling in absent ones.

export type Tree = Record<string, unknown>

/** Whether a value is a JSON object. */
export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object at a member; a detached empty one when there is none, so that reading on is safe. */
export const treeAt = (tree: Tree, key: string): Tree => {
  const value = tree[key]
  return isTree(value) ? value : {}
}

/** The objects in the list at a member. */
export const treesAt = (tree: Tree, key: string): Tree[] => {
  const value = tree[key]
  return Array.isArray(value) ? value.filter(isTree) : []
}

/** The object at a member, made when there is none. */
export const ownTree = (tree: Tree, key: string): Tree => {
  const value = tree[key]
  if (isTree(value)) return value
  const made: Tree = {}
  tree[key] = made
  return made
}

/** Sets the members that are absent or null; with `empty` also those that are "" or 0. */
export function fill(tree: Tree, defaults: Readonly<Tree>, empty = false): void {
  for (const [key, value] of Object.entries(defaults)) {
    const now = tree[key]
    if (now === undefined || now === null || (empty && (now === '' || now === 0))) tree[key] = structuredClone(value)
  }
}

/** The text at a member, '' when there is none. */
export const textAt = (tree: Tree, key: string): string => {
  const value = tree[key]
  return typeof value === 'string' ? value : ''
}

/** The number at a member, `absent` (0) when there is none. */
export const numberAt = (tree: Tree, key: string, absent = 0): number => {
  const value = tree[key]
  return typeof value === 'number' ? value : absent
}

/** The list at a member, [] when there is none. */
export const listAt = (tree: Tree, key: string): readonly unknown[] => {
  const value = tree[key]
  return Array.isArray(value) ? value : []
}
