// A few Kubernetes objects in memory, and what a write does to them: enough for adapters, far from an API server.
import type { Action, KubeObject, Ref, Seen } from '../../src/contract.ts'

type Fields = Record<string, unknown>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const keyOf = ({ apiVersion, kind, namespace = '', name }: Ref) => [apiVersion, kind, namespace, name].join('|')

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const result: Fields = isFields(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

type Operation = Readonly<{ op: string; path: string; value?: unknown }>

/** RFC 6902, the operations test, add, replace and remove. Throws when a test fails or a place is missing. */
export function jsonPatch(target: unknown, operations: readonly Operation[]): unknown {
  const root = { at: structuredClone(target) }
  for (const { op, path, value } of operations) {
    const keys = ['at', ...path.split('/').slice(1)].map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = keys.pop()!
    const parent = keys.reduce<unknown>((place, key) => (place as Fields | undefined)?.[key], root) as Fields
    if (parent === undefined || (op !== 'add' && !(last in parent))) throw new Error(`no place ${path}`)
    if (op === 'test') {
      if (JSON.stringify(parent[last]) !== JSON.stringify(value)) throw new Error(`test failed at ${path}`)
    } else if (Array.isArray(parent)) {
      const index = last === '-' ? parent.length : Number(last)
      parent.splice(index, op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [value]))
    } else if (op === 'remove') delete parent[last]
    else parent[last] = value
  }
  return root.at
}

export type World = Readonly<{
  seen: Seen
  objects(): readonly KubeObject[]
  /** Performs one write; the object after it. Throws where an API server would refuse. */
  apply(action: Action): KubeObject | undefined
}>

/** A world that holds these objects. */
export function objectWorld(objects: readonly KubeObject[]): World {
  const held = new Map<string, KubeObject>()
  const put = (object: KubeObject) => {
    const { apiVersion, kind, metadata } = object
    held.set(keyOf({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? '' }), object)
    return object
  }
  for (const object of objects) put(structuredClone(object))

  const apply = (action: Action): KubeObject | undefined => {
    if (action.verb === 'create') {
      const { metadata } = action.object
      const ref = { ...action.object, name: metadata.name, namespace: metadata.namespace ?? '' }
      if (held.has(keyOf(ref))) throw new Error('already exists')
      return put(structuredClone(action.object))
    }
    const key = keyOf(action.ref)
    const live = held.get(key)
    if (!live) throw new Error(`${key} not found`)
    if (action.verb !== 'patch') {
      held.delete(key)
      return undefined
    }
    const after =
      action.type === 'merge' ? mergePatch(live, action.patch) : jsonPatch(live, action.patch as readonly Operation[])
    return put(structuredClone(after) as KubeObject)
  }
  return { seen: ref => held.get(keyOf(ref)), objects: () => [...held.values()], apply }
}
