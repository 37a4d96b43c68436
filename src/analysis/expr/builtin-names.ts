// The names of the built-in functions, and which of them take a predicate: the parser must know.

/** What stands between the brackets of a function with a predicate; `?`: may be left out. */
export type Part = 'list' | 'predicate' | 'predicate?' | 'value?'
type Shape = Readonly<{ parts?: readonly Part[] }>

const EACH: Shape = { parts: ['list', 'predicate'] }
const ALL_OR_EACH: Shape = { parts: ['list', 'predicate?'] }
const EACH_AND_MORE: Shape = { parts: ['list', 'predicate', 'value?'] }

const PREDICATES: Readonly<Record<string, Shape>> = {
  all: EACH,
  none: EACH,
  any: EACH,
  one: EACH,
  filter: EACH,
  map: EACH,
  count: ALL_OR_EACH,
  sum: ALL_OR_EACH,
  find: EACH,
  findIndex: EACH,
  findLast: EACH,
  findLastIndex: EACH,
  groupBy: EACH,
  sortBy: EACH_AND_MORE,
  reduce: EACH_AND_MORE,
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
