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
  /** Of structs. */
  fields?: ReadonlyMap<string, Type>
}>

const plain = (is: Type['is'], name: string): Type => ({ is, name })

export const UNKNOWN = plain('unknown', 'unknown')
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
export const ANY_LIST = arrayOf(UNKNOWN)
export const FLOATS = arrayOf(FLOAT, '[]float64')
export const INTS = arrayOf(INT, '[]int')
export const STRINGS = arrayOf(STRING, '[]string')
export const BYTES = arrayOf(INT, '[]uint8')
export const MAP: Type = { is: 'map', name: 'map[string]interface {}', item: UNKNOWN }

export const isNumber = ({ is }: Type): boolean => is === 'int' || is === 'float'
export const isUnknown = ({ is }: Type): boolean => is === 'unknown'

/** Whether two values may be compared with ==. */
export function isComparable(left: Type, right: Type): boolean {
  const isOpen = (type: Type) => type.is === 'unknown' || type.is === 'nil'
  if (isOpen(left) || isOpen(right)) return true
  return left.is === right.is || (isNumber(left) && isNumber(right))
}

/** The type of one of two values; unknown when they differ. */
export function either(left: Type, right: Type): Type {
  if (left.is === 'nil') return right
  if (right.is === 'nil') return left
  return left.name === right.name && left.is === right.is ? left : UNKNOWN
}
