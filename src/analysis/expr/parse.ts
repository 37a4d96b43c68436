// Parses a condition: precedence climbing over the tokens, as the reference's expression language does.
import { goQuote } from '../../api/go-quote.ts'
import type { Node } from './ast.ts'
import { BUILTINS, type Part } from './builtin-names.ts'
import { fail } from './errors.ts'
import { type Token, type TokenKind, tokenize } from './tokens.ts'

const UNARY: Readonly<Record<string, number>> = { not: 50, '!': 50, '-': 90, '+': 90 }
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
  const { tokens, failure } = tokenize(text)
  if (failure && tokens.length === 0) throw failure
  let at = 0
  let depth = 0
  let count = 0

  const current = (): Token => tokens[at]!
  /** Goes on by one token. What cannot be read counts once it is come to. */
  const next = (): Token => {
    const token = current()
    at++
    if (at === tokens.length && failure) throw failure
    return token
  }
  const is = (kind: TokenKind, value?: string): boolean =>
    current().kind === kind && (value === undefined || current().value === value)
  const unexpected = (token = current()): never => fail(`unexpected token ${shownToken(token)}`)
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
      if (negates && !NEGATABLE.includes(operator)) unexpected()
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
    const { node, isWhole } = secondary()
    return isWhole ? node : postfix(node)
  }

  function pointer(): Node {
    if (is('Operator', '.')) return make({ is: 'pointer', name: '' })
    next()
    return make({ is: 'pointer', name: is('Identifier') ? next().value : '' })
  }

  /** `isWhole`: nothing may be taken from it. */
  function secondary(): Readonly<{ node: Node; isWhole: boolean }> {
    const token = current()
    const { kind, value } = token
    const isOpen = kind === 'Bracket' && (value === '[' || value === '{')
    if (!isOpen && !['Identifier', 'Number', 'String', 'Bytes'].includes(kind)) unexpected()
    next()
    const whole = (node: Node) => ({ node: make(node), isWhole: true })
    const part = (node: Node) => ({ node, isWhole: false })
    if (kind === 'Number') return whole(number(value))
    if (kind === 'String') return part(make({ is: 'string', value }))
    if (kind === 'Bytes') return part(make({ is: 'bytes', value: token.bytes ?? new Uint8Array() }))
    if (isOpen) return part(value === '[' ? array() : map())
    if (value === 'true' || value === 'false') return whole({ is: 'bool', value: value === 'true' })
    if (value === 'nil') return whole({ is: 'nil' })
    return part(is('Bracket', '(') ? call(value) : make({ is: 'name', name: value }))
  }

  function call(name: string, piped?: Node): Node {
    const builtin = BUILTINS.get(name)
    const first = piped ? [piped] : []
    if (builtin?.parts) return predicateCall(name, first, builtin.parts)
    const args = [...first, ...argumentList()]
    if (builtin) return make({ is: 'builtin', name, args })
    return make({ is: 'call', callee: make({ is: 'name', name }), args })
  }

  function predicateCall(name: string, first: readonly Node[], parts: readonly Part[]): Node {
    expect('Bracket', '(')
    const args: Node[] = [...first]
    const missing = parts.slice(first.length)
    for (const [i, part] of missing.entries()) {
      if (is('Bracket', ')')) {
        if (part.endsWith('?')) break
        fail(`expected at least ${missing.length} arguments`)
      }
      if (i > 0) expect('Operator', ',')
      args.push(part.startsWith('predicate') ? predicate() : expression(0))
    }
    if (is('Operator', ',')) next()
    expect('Bracket', ')')
    return make({ is: 'builtin', name, args })
  }

  function predicate(): Node {
    const isBlock = is('Bracket', '{')
    depth++
    const body = isBlock ? block() : expression(0)
    if (!isBlock && is('Operator', ';')) fail('wrap predicate with brackets { and }')
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
    const kinds = 'a quoted string, a number, a identifier, or an expression enclosed in parentheses'
    return fail(`a map key must be ${kinds} (unexpected token ${shownToken(token)})`)
  }

  function pipe(left: Node): Node {
    if (!is('Identifier')) unexpected()
    return call(next().value, left)
  }

  /** What is taken from a node: fields, items, slices. argo: an index behind a `?.` stands outside of its chain. */
  function postfix(node: Node): Node {
    let result = node
    for (;;) {
      if (is('Bracket', '[')) {
        next()
        result = index(result, false)
        continue
      }
      if (!is('Operator', '.') && !is('Operator', '?.')) return result
      const isOptional = next().value === '?.'
      if (isOptional && is('Bracket', '[')) {
        next()
        result = index(result, true)
        continue
      }
      const isChain: boolean = result.is === 'chain' || isOptional
      const found = field(result.is === 'chain' ? result.node : result, isOptional)
      result = isChain ? make({ is: 'chain', node: found }) : found
    }
  }

  function field(base: Node, isOptional: boolean): Node {
    if (is('EOF')) fail('unexpected end of expression')
    const token = next()
    const isWord = token.kind === 'Operator' && /^[a-zA-Z]+$/.test(token.value)
    if (token.kind !== 'Identifier' && !isWord) fail('expected name')
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
    return isOptional ? make({ is: 'chain', node: member }) : member
  }

  const tree = sequence()
  if (!is('EOF')) unexpected()
  return tree
}

const shownToken = ({ kind, value }: Token): string => (value === '' ? kind : `${kind}(${goQuote(value)})`)

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
  const isWhole = /^(?:0x[\da-f]+|0b[01]+|0o[0-7]+|\d+)$/.test(lower)
  if (!isWhole) fail(`invalid ${isPrefixed ? kind : 'integer'} literal: ${parsed}: invalid syntax`)
  const value = BigInt(isPrefixed ? lower : body)
  if (value > 2n ** 63n - 1n) fail(`invalid ${isPrefixed ? kind : 'integer'} literal: ${parsed}: value out of range`)
  return { is: 'int', value }
}
