// Label and field selectors: the texts of list requests and the objects inside Services and workloads.

import { labelKeyFaults, labelValueFaults } from '../api/rules/names.ts'
import type { KubeObject } from '../contract.ts'
import { type KindDef, StatusError } from './model.ts'

export type Labels = Readonly<Record<string, string>>
export type LabelMatcher = (labels: Labels | undefined) => boolean

type Operator = 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'
type Token = Readonly<{ is: string; text: string }>

const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message)

const operators = ['==', '!=', '=', '>', '<', '!', '(', ')', ',']

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    if (/[ \t\r\n]/.test(text[at] ?? '')) {
      at++
      continue
    }
    const operator = operators.find(o => text.startsWith(o, at))
    if (operator !== undefined) {
      tokens.push({ is: operator, text: operator })
      at += operator.length
      continue
    }
    const word = /^[^ \t\r\n=!(),><]+/.exec(text.slice(at))?.[0] ?? ''
    tokens.push({ is: word === 'in' || word === 'notin' ? word : 'word', text: word })
    at += word.length
  }
  return [...tokens, { is: 'end', text: '' }]
}

function requirement(key: string, operator: Operator, values: readonly string[]): LabelMatcher {
  const wanted = new Set(values)
  const bound = BigInt(operator === 'gt' || operator === 'lt' ? (values[0] ?? '0') : '0')
  return labels => {
    const value = labels?.[key]
    if (operator === 'exists') return value !== undefined
    if (operator === '!') return value === undefined
    if (operator === 'in') return value !== undefined && wanted.has(value)
    if (operator === 'notin') return value === undefined || !wanted.has(value)
    if (value === undefined || !/^[-+]?\d+$/.test(value)) return false
    return operator === 'gt' ? BigInt(value) > bound : BigInt(value) < bound
  }
}

const fail = (message: string): never => {
  throw badRequest(`unable to parse requirement: ${message}`)
}

function checkValues(key: string, values: readonly string[]): void {
  const causes = values.flatMap((value, i) => {
    const faults = labelValueFaults(value)
    if (faults.length === 0) return []
    return [`values[${i}][${key}]: Invalid value: ${JSON.stringify(value)}: ${faults.join('; ')}`]
  })
  if (causes.length > 0) fail(causes.length === 1 ? `${causes[0]}` : `[${causes.join(', ')}]`)
}

/** `in` and `notin` are plain words unless an operator is due. */
const isWord = (token: Token): boolean => token.is === 'word' || token.is === 'in' || token.is === 'notin'

/** The tokens of a selector, to be taken one by one. */
type Tape = Readonly<{ peek(): Token; take(): Token }>

function tapeOf(text: string): Tape {
  const tokens = tokensOf(text)
  const end: Token = { is: 'end', text: '' }
  let at = 0
  return { peek: () => tokens[at] ?? end, take: () => tokens[at++] ?? end }
}

function takeValue(tape: Tape, key: string): string {
  const next = tape.peek()
  if (next.is === 'end' || next.is === ',') return ''
  tape.take()
  if (!isWord(next)) fail(`found '${next.text}', expected: identifier`)
  checkValues(key, [next.text])
  return next.text
}

/** `(a,b)`; an empty place between commas or brackets is the empty text. */
function takeValues(tape: Tape, key: string): string[] {
  const open = tape.take()
  if (open.is !== '(') fail(`found '${open.text}' expected: '('`)
  const values = new Set<string>()
  let isWordDue = true
  let expected = "',', ')' or identifier"
  for (;;) {
    const token = tape.take()
    if ((token.is === ')' || token.is === ',') && isWordDue) values.add('')
    if (token.is === ')') break
    if (token.is !== ',' && (!isWord(token) || !isWordDue)) fail(`found '${token.text}', expected: ${expected}`)
    if (token.is !== ',') values.add(token.text)
    isWordDue = token.is === ','
    expected = isWordDue ? "',', or identifier" : "',' or ')'"
  }
  checkValues(key, [...values].sort())
  return [...values]
}

function takeRequirement(tape: Tape): LabelMatcher {
  const isNegated = tape.peek().is === '!'
  if (isNegated) tape.take()
  const { text: key, ...token } = tape.take()
  if (!isWord({ ...token, text: key })) fail(`found '${key}', expected: identifier`)
  const faults = labelKeyFaults(key)
  if (faults.length > 0) fail(`<nil>: Invalid value: ${JSON.stringify(key)}: ${faults.join('; ')}`)
  const next = tape.peek().is
  if (isNegated) return requirement(key, '!', [])
  if (next === 'end' || next === ',') return requirement(key, 'exists', [])
  const { is, text } = tape.take()
  if (is === 'in' || is === 'notin') return requirement(key, is, takeValues(tape, key))
  if (is === '=' || is === '==') return requirement(key, 'in', [takeValue(tape, key)])
  if (is === '!=') return requirement(key, 'notin', [takeValue(tape, key)])
  if (is !== '>' && is !== '<') fail(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`)
  const value = takeValue(tape, key)
  if (!/^[-+]?\d+$/.test(value)) {
    const why = "for 'Gt', 'Lt' operators, the value must be an integer"
    fail(`values[0]: Invalid value: ${JSON.stringify(value)}: ${why}`)
  }
  return requirement(key, is === '>' ? 'gt' : 'lt', [value])
}

/** Reads `app=web,tier in (a,b),!old`; an empty text matches everything.
 * Throws StatusError 400 with the real server's wording. */
export function parseLabelSelector(text: string): LabelMatcher {
  const tape = tapeOf(text)
  const all: LabelMatcher[] = []
  const begins = (token: Token): boolean => isWord(token) || token.is === '!'
  while (tape.peek().is !== 'end') {
    const first = tape.peek()
    if (!begins(first)) throw badRequest(`found '${first.text}', expected: !, identifier, or 'end of string'`)
    all.push(takeRequirement(tape))
    const after = tape.take()
    if (after.is === 'end') break
    if (after.is !== ',') throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`)
    const next = tape.peek()
    if (!begins(next)) throw badRequest(`found '${next.text}', expected: identifier after ','`)
  }
  return labels => all.every(matches => matches(labels))
}

const objectOperators: Readonly<Record<string, Operator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

type Expression = Readonly<{ key?: string; operator?: string; values?: readonly string[] }>
export type LabelSelector = Readonly<{ matchLabels?: Labels; matchExpressions?: readonly Expression[] }>

/** The matcher of a LabelSelector object. Absent selects nothing, `{}` everything.
 * Throws StatusError 400 on an unknown operator. */
export function labelSelectorOf(selector: LabelSelector | null | undefined): LabelMatcher {
  if (selector === undefined || selector === null) return () => false
  const all = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => requirement(key, 'in', [value]))
  for (const { key = '', operator = '', values = [] } of selector.matchExpressions ?? []) {
    const known = objectOperators[operator]
    if (known === undefined) throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`)
    all.push(requirement(key, known, values))
  }
  return labels => all.every(matches => matches(labels))
}

function unescaped(value: string): string {
  let out = ''
  for (let i = 0; i < value.length; i++) {
    const char = value[i] ?? ''
    if (char === ',' || char === '=')
      throw badRequest(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`)
    if (char !== '\\') {
      out += char
      continue
    }
    const next = value[++i] ?? ''
    if (next === '' || !'\\,='.includes(next))
      throw badRequest(`invalid field selector: invalid escape sequence: \\${next}`)
    out += next
  }
  return out
}

/** Numbers and switches of built-in kinds that are left out while they are zero. */
const zeros: Readonly<Record<string, string>> = {
  'spec.hostNetwork': 'false',
  'spec.unschedulable': 'false',
  'status.replicas': '0',
  'status.succeeded': '0',
}

const textAt = (object: KubeObject, path: string, isBuiltIn: boolean): string => {
  let value: unknown = object
  for (const part of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[part]
  if (value !== undefined && value !== null) return String(value)
  return (isBuiltIn ? zeros[path] : undefined) ?? ''
}

const unknownLabel = (def: KindDef, label: string): StatusError =>
  badRequest(
    def.builtIn && Object.keys(def.selectable).length === 0
      ? `${JSON.stringify(label)} is not a known field selector: only "metadata.name", "metadata.namespace"`
      : `field label not supported: ${label}`,
  )

/** Reads `status.phase!=Running,metadata.name=x` for a kind; an absent field counts as the empty text.
 * Throws StatusError 400 on a label that the kind does not have. */
export function fieldMatcher(def: KindDef, text: string): (object: KubeObject) => boolean {
  const all: ((object: KubeObject) => boolean)[] = []
  for (const term of text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? []) {
    const parts = /^(.*?)(!=|==|=)(.*)$/s.exec(term)
    if (!parts) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, label = '', operator = '=', raw = ''] = parts
    const value = unescaped(raw)
    const path = label === 'metadata.name' || label === 'metadata.namespace' ? label : def.selectable[label]
    if (path === undefined) throw unknownLabel(def, label)
    all.push(object => (textAt(object, path, def.builtIn) === value) === (operator !== '!='))
  }
  return object => all.every(matches => matches(object))
}
