// What is known of a value's type before a condition runs.

export type Type = Readonly<{
  is:
    | 'unknown'
    | 'nil'
    | 'int'
    | 'float'
    | 'string'
    | 'bool'
    | 'array'
    | 'map'
    | 'func'
    | 'time'
    | 'duration'
    | 'struct'
  /** As errors call it. */
  name: string
  /** Of arrays and maps. */
  item?: Type
  /** Of maps: keys may be of any type. */
  isOpen?: true
  /** Of structs. */
  fields?: ReadonlyMap<string, Type>
}>

const plain = (is: Type['is'], name: string): Type => ({ is, name })

export const UNKNOWN = plain('unknown', 'unknown')
/** Whatever a list, an object or a function without a type of its own holds or gives. */
export const ANY = plain('unknown', 'interface {}')
/** argo: nothing has a type of its own, but errors call it unknown. */
export const NIL = plain('nil', 'unknown')
export const INT = plain('int', 'int')
export const INT64 = plain('int', 'int64')
export const FLOAT = plain('float', 'float64')
export const STRING = plain('string', 'string')
export const BOOL = plain('bool', 'bool')
export const TIME = plain('time', 'time.Time')
export const DURATION = plain('duration', 'time.Duration')
export const BUILTIN = plain('func', 'func(...interface {}) (interface {}, error)')

/** A list; its name tells how Go holds it, whatever is known of its items. */
export const arrayOf = (item: Type, name = '[]interface {}'): Type => ({ is: 'array', name, item })
export const ANY_LIST = arrayOf(ANY)
export const FLOATS = arrayOf(FLOAT, '[]float64')
export const INTS = arrayOf(INT, '[]int')
export const STRINGS = arrayOf(STRING, '[]string')
export const BYTES = arrayOf(INT, '[]uint8')
export const MAP: Type = { is: 'map', name: 'map[string]interface {}', item: ANY }
export const OPEN_MAP: Type = { is: 'map', name: 'map[interface {}]interface {}', item: ANY, isOpen: true }
export const GROUPS: Type = { is: 'map', name: 'map[interface {}][]interface {}', item: ANY_LIST, isOpen: true }

export const isNumber = ({ is }: Type): boolean => is === 'int' || is === 'float'
export const isUnknown = ({ is }: Type): boolean => is === 'unknown'

/** Whether a value of one type may be given where the other is wanted, as Go sees it. */
export function isAssignable(given: Type, wanted: Type): boolean {
  if (given.is === 'nil') return wanted === ANY || ['map', 'array', 'func'].includes(wanted.is)
  if (given.name === 'unknown' || wanted.name === 'unknown') return false
  return wanted.name === ANY.name || given.name === wanted.name
}

/** Whether two values may be compared with ==. */
export function isComparable(left: Type, right: Type): boolean {
  const isOpen = (type: Type) => type.is === 'unknown' || type.is === 'nil'
  if (isOpen(left) || isOpen(right)) return true
  if (left.is !== right.is) return isNumber(left) && isNumber(right)
  return !['map', 'func', 'struct'].includes(left.is) || left.name === right.name
}

/** The type of one of two values; unknown when they differ. */
export function either(left: Type, right: Type): Type {
  if (left.is === 'nil') return right
  if (right.is === 'nil') return left
  if (!isAssignable(left, right)) return UNKNOWN
  const [one, other] = [left.item, right.item]
  const isMixed = left.is === 'array' && one && other && !(isAssignable(one, other) && isAssignable(other, one))
  return isMixed ? ANY_LIST : left
}
