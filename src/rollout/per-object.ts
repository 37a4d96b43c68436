// Pure functions of frozen objects, computed once for each object: the cache shares a spec until it changes.

/** `compute`, remembered for as long as its argument lives. The argument must be frozen, or never edited. */
export function perObject<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, Readonly<{ value: V }>>()
  return key => {
    const before = known.get(key)
    if (before) return before.value
    const value = compute(key)
    known.set(key, { value })
    return value
  }
}
