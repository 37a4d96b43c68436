// Parses a condition: precedence climbing over the tokens, as the reference's expression language does.
import type { Node } from './ast.ts'
import { BUILTINS } from './builtin-names.ts'
import { fail } from './errors.ts'
import { type Token, type TokenKind, tokenize } from './tokens.ts'

const UNARY: Readonly<Record<string, number>> = { not: 50, '!': 1000, '-': 90, '+': 90 }
const BINARY: Readonly<Record<string, number>> = {
  '|': 0,
  or: 10,
  '||': 10,
  and: 15,
  '&&': 15,
  '==': 20,
  '!=': 20,
  '<': 20,
  '>': 20,
  '>=': 20,
  '<=': 20,
  in: 20,
  matches: 20,
  contains: 20,
  startsWith: 20,
  endsWith: 20,
  '..': 25,
  '+': 30,
  '-': 30,
  '*': 60,
  '/': 60,
  '%': 60,
  '**': 100,
  '^': 100,
  '??': 500,
}
const COMPARISONS = ['<', '>', '>=', '<=']
const NEGATABLE = ['in', 'matches', 'contains', 'startsWith', 'endsWith']
/** Parts of an expression that are allowed. */
const MAX_NODES = 10_000

const has = (table: Readonly<Record<string, unknown>>, key: string): boolean => Object.hasOwn(table, key)

/** The tree of a text. Throws ExprError. */
export function parse(text: string): Node {
  const tokens = tokenize(text)
  let at = 0
  let depth = 0
  let count = 0

  const current = (): Token => tokens[at]!
  const next = (): Token => tokens[at++]!
  const is = (kind: TokenKind, value?: string): boolean =>
    current().kind === kind && (value === undefined || current().value === value)
  const unexpected = (token = current()): never =>
    fail(
      token.kind === 'EOF' ? 'unexpected token EOF' : `unexpected token ${token.kind}(${JSON.stringify(token.value)})`,
    )
  const expect = (kind: TokenKind, value: string): void => {
    if (!is(kind, value)) unexpected()
    next()
  }
  const make = <N extends Node>(node: N): N => {
    if (++count > MAX_NODES) fail('compilation failed: expression exceeds maximum allowed nodes')
    return node
  }

  function sequence(): Node {
    const nodes = [expression(0)]
    while (is('Operator', ';')) {
      next()
      if (is('EOF')) break
      nodes.push(expression(0))
    }
    return nodes.length === 1 ? nodes[0]! : make({ is: 'sequence', nodes })
  }

  function expression(precedence: number): Node {
    if (precedence === 0 && is('Operator', 'let')) return declaration()
    if (precedence === 0 && is('Operator', 'if')) return ifElse()
    let left = primary()
    let previous = ''
    for (;;) {
      const start = at
      const negates = is('Operator', 'not')
      if (negates) next()
      const operator = current().value
      const known = current().kind === 'Operator' && has(BINARY, operator) && BINARY[operator]! >= precedence
      if (negates && (!NEGATABLE.includes(operator) || current().kind !== 'Operator'))
        unexpected(negates ? tokens[start] : current())
      if (!known) {
        at = start
        break
      }
      next()
      if (operator === '|') {
        left = pipe(left)
        previous = operator
        continue
      }
      if (previous === '??' && operator !== '??') {
        const words = 'and coalesce expressions (??) cannot be mixed. Wrap either by parentheses.'
        fail(`Operator (${operator}) ${words}`)
      }
      left = COMPARISONS.includes(operator) ? comparison(left, operator) : binary(left, operator)
      if (negates) left = make({ is: 'unary', operator: 'not', node: left })
      previous = operator
    }
    return precedence === 0 ? conditional(left) : left
  }

  function binary(left: Node, operator: string): Node {
    const isRight = operator === '**' || operator === '^'
    const right = expression(BINARY[operator]! + (isRight ? 0 : 1))
    return make({ is: 'binary', operator, left, right })
  }

  /** a < b < c is (a < b) && (b < c). */
  function comparison(first: Node, firstOperator: string): Node {
    let [left, operator] = [first, firstOperator]
    let whole: Node | undefined
    for (;;) {
      const right = expression(BINARY[operator]! + 1)
      const one = make({ is: 'binary', operator, left, right })
      whole = whole ? make({ is: 'binary', operator: '&&', left: whole, right: one }) : one
      if (current().kind !== 'Operator' || !COMPARISONS.includes(current().value)) return whole
      left = right
      operator = next().value
    }
  }

  function conditional(node: Node): Node {
    let result = node
    while (is('Operator', '?')) {
      next()
      if (is('Operator', ':')) {
        next()
        result = make({ is: 'choice', condition: result, yes: result, no: expression(0) })
        continue
      }
      const yes = expression(0)
      expect('Operator', ':')
      result = make({ is: 'choice', condition: result, yes, no: expression(0) })
    }
    return result
  }

  function declaration(): Node {
    next()
    if (!is('Identifier')) unexpected()
    const name = next().value
    expect('Operator', '=')
    const value = expression(0)
    expect('Operator', ';')
    return make({ is: 'let', name, value, body: sequence() })
  }

  function block(): Node {
    expect('Bracket', '{')
    const node = sequence()
    expect('Bracket', '}')
    return node
  }

  function ifElse(): Node {
    next()
    const condition = expression(0)
    const yes = block()
    expect('Operator', 'else')
    return make({ is: 'choice', condition, yes, no: is('Operator', 'if') ? ifElse() : block() })
  }

  function primary(): Node {
    const token = current()
    if (token.kind === 'Operator' && has(UNARY, token.value)) {
      next()
      const node = expression(UNARY[token.value]!)
      return postfix(make({ is: 'unary', operator: token.value, node }))
    }
    if (is('Bracket', '(')) {
      next()
      const node = sequence()
      expect('Bracket', ')')
      return postfix(node)
    }
    if (depth > 0 && (is('Operator', '#') || is('Operator', '.'))) return postfix(pointer())
    if (is('Operator', '::')) {
      next()
      if (!is('Identifier')) unexpected()
      return postfix(call(next().value))
    }
    return postfix(secondary())
  }

  function pointer(): Node {
    if (is('Operator', '.')) return make({ is: 'pointer', name: '' })
    next()
    return make({ is: 'pointer', name: is('Identifier') ? next().value : '' })
  }

  function secondary(): Node {
    const token = next()
    switch (token.kind) {
      case 'Identifier':
        if (token.value === 'true' || token.value === 'false')
          return make({ is: 'bool', value: token.value === 'true' })
        if (token.value === 'nil') return make({ is: 'nil' })
        return is('Bracket', '(') ? call(token.value) : make({ is: 'name', name: token.value })
      case 'Number':
        return make(number(token.value))
      case 'String':
        return make({ is: 'string', value: token.value })
      case 'Bytes':
        return make({ is: 'bytes', value: token.bytes ?? new Uint8Array() })
      default:
        if (token.kind === 'Bracket' && token.value === '[') return array()
        if (token.kind === 'Bracket' && token.value === '{') return map()
        return unexpected(token)
    }
  }

  function call(name: string, piped?: Node): Node {
    const builtin = BUILTINS.get(name)
    const first = piped ? [piped] : []
    if (builtin?.predicate !== undefined) return predicateCall(name, first, builtin.predicate, builtin.extra ?? false)
    const args = [...first, ...argumentList()]
    if (builtin) return make({ is: 'builtin', name, args })
    return make({ is: 'call', callee: make({ is: 'name', name }), args })
  }

  function predicateCall(name: string, first: readonly Node[], needed: 'needed' | 'optional', hasExtra: boolean): Node {
    expect('Bracket', '(')
    const args: Node[] = [...first]
    if (args.length === 0) {
      if (is('Bracket', ')')) unexpected()
      args.push(expression(0))
      if (is('Operator', ',')) {
        next()
        if (!is('Bracket', ')')) args.push(predicate())
      }
    } else if (!is('Bracket', ')')) args.push(predicate())
    if (args.length < 2 && needed === 'needed') fail('expected at least 2 arguments')
    if (hasExtra && is('Operator', ',')) {
      next()
      args.push(expression(0))
    } else if (is('Operator', ',')) {
      next()
      if (!is('Bracket', ')')) unexpected()
    }
    expect('Bracket', ')')
    return make({ is: 'builtin', name, args })
  }

  function predicate(): Node {
    const isBlock = is('Bracket', '{')
    depth++
    const body = isBlock ? block() : expression(0)
    depth--
    return make({ is: 'predicate', body })
  }

  function argumentList(): readonly Node[] {
    expect('Bracket', '(')
    return list(')')
  }

  /** Nodes between commas up to a closing bracket; a last comma is fine. */
  function list(close: string): readonly Node[] {
    const nodes: Node[] = []
    while (!is('Bracket', close)) {
      if (nodes.length > 0) {
        expect('Operator', ',')
        if (is('Bracket', close)) break
      }
      nodes.push(expression(0))
    }
    next()
    return nodes
  }

  const array = (): Node => make({ is: 'array', items: list(']') })

  function map(): Node {
    const pairs: [Node, Node][] = []
    while (!is('Bracket', '}')) {
      if (pairs.length > 0) {
        expect('Operator', ',')
        if (is('Bracket', '}')) break
      }
      const key = mapKey()
      expect('Operator', ':')
      pairs.push([key, expression(0)])
    }
    next()
    return make({ is: 'map', pairs })
  }

  function mapKey(): Node {
    const token = current()
    if (['Number', 'String', 'Identifier'].includes(token.kind)) return make({ is: 'string', value: next().value })
    if (is('Bracket', '(')) return expression(0)
    const shown = token.kind === 'EOF' ? 'EOF' : `${token.kind}(${JSON.stringify(token.value)})`
    const kinds = 'a quoted string, a number, a identifier, or an expression enclosed in parentheses'
    return fail(`a map key must be ${kinds} (unexpected token ${shown})`)
  }

  function pipe(left: Node): Node {
    if (!is('Identifier')) unexpected()
    return postfix(call(next().value, left))
  }

  function postfix(node: Node): Node {
    let result = node
    let isChain = false
    // The invisible pointer before `.field` has its field next.
    for (;;) {
      if (is('Operator', '.') || is('Operator', '?.')) {
        const isOptional = next().value === '?.'
        isChain ||= isOptional
        if (isOptional && is('Bracket', '[')) {
          next()
          result = index(result, true)
          continue
        }
        result = field(result, isOptional)
      } else if (is('Bracket', '[')) {
        next()
        result = index(result, false)
      } else break
    }
    return isChain ? make({ is: 'chain', node: result }) : result
  }

  function field(base: Node, isOptional: boolean): Node {
    const token = next()
    const isWord = token.kind === 'Operator' && /^[a-zA-Z]+$/.test(token.value)
    if (token.kind !== 'Identifier' && !isWord) unexpected(token)
    const property = make({ is: 'string', value: token.value } as const)
    const member = make({ is: 'member', base, property, isOptional, isField: true } as const)
    return is('Bracket', '(') ? make({ is: 'call', callee: member, args: argumentList() }) : member
  }

  function index(base: Node, isOptional: boolean): Node {
    const from = is('Operator', ':') ? undefined : expression(0)
    if (is('Operator', ':')) {
      next()
      const to = is('Bracket', ']') ? undefined : expression(0)
      expect('Bracket', ']')
      return make({ is: 'slice', base, from, to })
    }
    expect('Bracket', ']')
    const member = make({ is: 'member', base, property: from!, isOptional, isField: false } as const)
    return is('Bracket', '(') ? make({ is: 'call', callee: member, args: argumentList() }) : member
  }

  const tree = sequence()
  if (!is('EOF')) unexpected()
  return tree
}

function number(text: string): Node {
  const digits = text.replaceAll('_', '')
  const lower = digits.toLowerCase()
  const isPrefixed = /^0[xbo]/.test(lower)
  if (!isPrefixed && /[.e]/.test(lower)) {
    const value = /\d/.test(lower) && !/e[+-]?$/.test(lower) ? Number(lower) : Number.NaN
    if (Number.isNaN(value))
      fail(`invalid float literal: strconv.ParseFloat: parsing ${JSON.stringify(digits)}: invalid syntax`)
    if (!Number.isFinite(value)) {
      fail(`invalid float literal: strconv.ParseFloat: parsing ${JSON.stringify(digits)}: value out of range`)
    }
    return { is: 'float', value }
  }
  const kind = { x: 'hex', b: 'binary', o: 'octal' }[lower[1] ?? ''] ?? 'integer'
  const body = isPrefixed ? digits.slice(2) : digits
  const parsed = `strconv.ParseInt: parsing ${JSON.stringify(isPrefixed ? digits : body)}`
  if (body === '') fail(`invalid ${isPrefixed ? kind : 'integer'} literal: ${parsed}: invalid syntax`)
  const value = BigInt(isPrefixed ? lower : body)
  if (value > 2n ** 63n - 1n) fail(`invalid ${isPrefixed ? kind : 'integer'} literal: ${parsed}: value out of range`)
  return { is: 'int', value }
}
