// The types that operators take and give.
import type { Node } from './ast.ts'
import { fail } from './errors.ts'
import { compileRegExp } from './go-regexp.ts'
import {
  arrayOf,
  BOOL,
  BYTES,
  DURATION,
  FLOAT,
  INT,
  isAssignable,
  isComparable,
  isNumber,
  isUnknown,
  STRING,
  TIME,
  type Type,
  UNKNOWN,
} from './static-type.ts'

type Kind = Type['is']

const NUMBER: readonly Kind[] = ['int', 'float']
const ORDERED: readonly Kind[] = [...NUMBER, 'string', 'time', 'duration']

/** Whether one side is unknown and the other, if it is known, may stand here. */
function isOpen(left: Type, right: Type, kinds: readonly Kind[]): boolean {
  if (isUnknown(left)) return isUnknown(right) || kinds.includes(right.is)
  return isUnknown(right) && kinds.includes(left.is)
}

const both = (left: Type, right: Type, kind: Kind): boolean => left.is === kind && right.is === kind

/** Sum, difference or product of two numbers. */
const combined = (left: Type, right: Type): Type => (left.is === 'int' && right.is === 'int' ? INT : FLOAT)

const arithmetic: Readonly<Record<string, (left: Type, right: Type) => Type | undefined>> = {
  '+': (left, right) => {
    if (isNumber(left) && isNumber(right)) return combined(left, right)
    if (both(left, right, 'string')) return STRING
    if (both(left, right, 'duration')) return DURATION
    if ([left.is, right.is].sort().join() === 'duration,time') return TIME
    return isOpen(left, right, ORDERED) ? UNKNOWN : undefined
  },
  '-': (left, right) => {
    if (isNumber(left) && isNumber(right)) return combined(left, right)
    if (both(left, right, 'time') || both(left, right, 'duration')) return DURATION
    if (left.is === 'time' && right.is === 'duration') return TIME
    return isOpen(left, right, [...NUMBER, 'time', 'duration']) ? UNKNOWN : undefined
  },
  '*': (left, right) => {
    if (isNumber(left) && isNumber(right)) return combined(left, right)
    const kinds = [left, right]
    const isLength = kinds.some(type => type.is === 'duration')
    if (isLength && kinds.every(type => type.is === 'duration' || isNumber(type))) return DURATION
    return isOpen(left, right, [...NUMBER, 'duration']) ? UNKNOWN : undefined
  },
  '/': (left, right) => ((isNumber(left) && isNumber(right)) || isOpen(left, right, NUMBER) ? FLOAT : undefined),
  '**': (left, right) => ((isNumber(left) && isNumber(right)) || isOpen(left, right, NUMBER) ? FLOAT : undefined),
  '^': (left, right) => ((isNumber(left) && isNumber(right)) || isOpen(left, right, NUMBER) ? FLOAT : undefined),
  '%': (left, right) => (both(left, right, 'int') || isOpen(left, right, ['int']) ? INT : undefined),
  '..': (left, right) => (both(left, right, 'int') || isOpen(left, right, ['int']) ? arrayOf(INT) : undefined),
}

const comparison: Readonly<Record<string, (left: Type, right: Type) => boolean>> = {
  '==': isComparable,
  '!=': isComparable,
  '<': isOrdered,
  '>': isOrdered,
  '<=': isOrdered,
  '>=': isOrdered,
  '&&': isLogic,
  and: isLogic,
  '||': isLogic,
  or: isLogic,
  contains: isText,
  startsWith: isText,
  endsWith: isText,
  matches: isText,
}

function isOrdered(left: Type, right: Type): boolean {
  if (isNumber(left) && isNumber(right)) return true
  if (left.is === right.is && ['string', 'time', 'duration'].includes(left.is)) return true
  return isOpen(left, right, ORDERED)
}

function isLogic(left: Type, right: Type): boolean {
  return both(left, right, 'bool') || isOpen(left, right, ['bool'])
}

function isText(left: Type, right: Type): boolean {
  return both(left, right, 'string') || isOpen(left, right, ['string'])
}

function checkIn(left: Type, right: Type): boolean {
  if (right.is === 'map') {
    if (!isUnknown(left) && left.is !== 'string' && !right.isOpen) {
      fail(`cannot use ${left.name} as type string in map key`)
    }
    return true
  }
  if (right.is === 'array') {
    if (!isComparable(left, right.item ?? UNKNOWN)) {
      fail(`cannot use ${left.name} as type ${right.item?.name} in array`)
    }
    return true
  }
  if (right.is === 'struct' || right.is === 'time') return left.is === 'string' || isUnknown(left)
  return isUnknown(right) || (isUnknown(left) && right.is === 'string')
}

/** The type of `left operator right`. Throws ExprError. */
export function binaryType(operator: string, left: Type, right: Type, rightNode: Node): Type {
  const mismatch = (): never => fail(`invalid operation: ${operator} (mismatched types ${left.name} and ${right.name})`)
  if (operator === '??') return left.is === 'nil' ? right : right.is === 'nil' ? left : coalesced(left, right)
  if (operator === 'in') return checkIn(left, right) ? BOOL : mismatch()
  // A pattern that is written down is read before the rest is looked at.
  if (operator === 'matches' && rightNode.is === 'string') compileRegExp(rightNode.value)
  if (operator === 'matches' && left.name === BYTES.name && right.is === 'string') return BOOL
  const calculate = arithmetic[operator]
  if (calculate) return calculate(left, right) ?? mismatch()
  return comparison[operator]?.(left, right) ? BOOL : mismatch()
}

const coalesced = (left: Type, right: Type): Type => (isAssignable(right, left) ? left : UNKNOWN)
