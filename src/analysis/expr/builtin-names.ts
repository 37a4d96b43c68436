// The names of the built-in functions, and which of them take a predicate: the parser must know.

type Shape = Readonly<{ predicate?: 'needed' | 'optional'; extra?: boolean }>

const PREDICATES: Readonly<Record<string, Shape>> = {
  all: { predicate: 'needed' },
  none: { predicate: 'needed' },
  any: { predicate: 'needed' },
  one: { predicate: 'needed' },
  filter: { predicate: 'needed' },
  map: { predicate: 'needed' },
  count: { predicate: 'optional' },
  sum: { predicate: 'optional' },
  find: { predicate: 'needed' },
  findIndex: { predicate: 'needed' },
  findLast: { predicate: 'needed' },
  findLastIndex: { predicate: 'needed' },
  groupBy: { predicate: 'needed' },
  sortBy: { predicate: 'needed', extra: true },
  reduce: { predicate: 'needed', extra: true },
}

const PLAIN = [
  ...['len', 'type', 'abs', 'ceil', 'floor', 'round', 'int', 'float', 'string', 'max', 'min', 'mean', 'median'],
  ...['trim', 'trimPrefix', 'trimSuffix', 'upper', 'lower', 'split', 'splitAfter', 'replace', 'repeat', 'join'],
  ...['indexOf', 'lastIndexOf', 'hasPrefix', 'hasSuffix', 'toJSON', 'fromJSON', 'toBase64', 'fromBase64'],
  ...['now', 'duration', 'date', 'timezone', 'first', 'last', 'get', 'take', 'keys', 'values', 'toPairs', 'fromPairs'],
  ...['reverse', 'uniq', 'concat', 'flatten', 'sort'],
  ...['bitand', 'bitor', 'bitxor', 'bitnand', 'bitnot', 'bitshl', 'bitshr', 'bitushr'],
]

/** Built-in functions by name. */
export const BUILTINS: ReadonlyMap<string, Shape> = new Map([
  ...Object.entries(PREDICATES),
  ...PLAIN.map(name => [name, {}] as const),
])
