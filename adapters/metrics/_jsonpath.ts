// The JSONPath of kubectl, as far as single values go: fields, indexes, slices, wildcards, descent, simple filters.

type Step =
  | Readonly<{ is: 'field'; names: readonly string[] }>
  | Readonly<{ is: 'index'; indexes: readonly number[] }>
  | Readonly<{ is: 'slice'; from: number | undefined; to: number | undefined; step: number }>
  | Readonly<{ is: 'all' | 'descent' }>
  | Readonly<{ is: 'filter'; path: readonly Step[]; operator: string | undefined; value: unknown }>

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const FILTER = /^\?\(\s*@([^=!<>\s]*)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*\)$/s

function inBrackets(text: string): Step {
  if (text === '*') return { is: 'slice', from: undefined, to: undefined, step: 1 }
  const filter = FILTER.exec(text)
  if (filter) return { is: 'filter', path: steps(filter[1] ?? ''), operator: filter[2], value: literal(filter[3]) }
  if (/^['"]/.test(text))
    return { is: 'field', names: text.split(/,(?=\s*['"])/).map(name => name.trim().slice(1, -1)) }
  if (text.includes(':')) {
    const [from, to, step] = text.split(':').map(part => (part.trim() === '' ? undefined : Number(part)))
    return { is: 'slice', from, to, step: step ?? 1 }
  }
  const indexes = text.split(',').map(part => Number(part.trim()))
  if (indexes.some(index => !Number.isInteger(index))) throw new Error(`invalid array index ${text}`)
  return { is: 'index', indexes }
}

function literal(text: string | undefined): unknown {
  if (text === undefined) return undefined
  if (/^'.*'$/s.test(text)) return text.slice(1, -1)
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`unrecognized value ${text} in a filter`)
  }
}

/** The steps of a path such as `$.data[0].value`. */
function steps(path: string): readonly Step[] {
  const result: Step[] = []
  let rest = path.trim().replace(/^[$@]/, '')
  while (rest !== '') {
    if (rest.startsWith('..')) {
      result.push({ is: 'descent' })
      rest = rest.slice(rest[2] === '[' ? 2 : 1)
      continue
    }
    if (rest.startsWith('[')) {
      const end = closing(rest)
      result.push(inBrackets(rest.slice(1, end).trim()))
      rest = rest.slice(end + 1)
      continue
    }
    const [all, name = ''] = /^\.?((?:\\.|[^.[\]])+)/.exec(rest) ?? []
    if (all === undefined) throw new Error(`unrecognized character in path: ${rest}`)
    result.push(name === '*' ? { is: 'all' } : { is: 'field', names: [name.replace(/\\(.)/g, '$1')] })
    rest = rest.slice(all.length)
  }
  return result
}

/** Where the bracket at the start closes; quotes may hold brackets. */
function closing(text: string): number {
  let depth = 0
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (quote !== '') quote = char === quote ? '' : quote
    else if (char === "'" || char === '"') quote = char
    else if (char === '[') depth++
    else if (char === ']' && --depth === 0) return at
  }
  throw new Error('unterminated array')
}

const children = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : isFields(value) ? Object.values(value) : []

const descendants = (value: unknown): readonly unknown[] => {
  const below = children(value)
  return below.length === 0 ? [] : [value, ...below.flatMap(descendants)]
}

/** The names that Go has for the types of JSON values; argo's messages hold them. */
const GO_TYPES: Readonly<Record<string, string>> = { number: 'float64', boolean: 'bool', string: 'string' }
const typeOf = (value: unknown): string => GO_TYPES[typeof value] ?? 'map[string]interface {}'

/** What a step finds below the values that were found so far. kubectl: null has nothing below it, and that is no error. */
function take(step: Step, values: readonly unknown[]): readonly unknown[] {
  const there = values.filter(value => value !== null)
  switch (step.is) {
    case 'all':
      return there.flatMap(children)
    case 'descent':
      return there.flatMap(descendants)
    case 'filter':
      return there.flatMap(list => listOf(list, ' and cannot be filtered').filter(item => holds(step, item)))
    case 'slice':
      return there.flatMap(list => sliced(listOf(list), step))
    case 'field':
      return fieldsOf(step.names, values)
    case 'index':
      return there.flatMap(list => step.indexes.map(index => itemOf(listOf(list), index)))
  }
}

/** kubectl: a field must be in one of the values at least, if there are any. */
function fieldsOf(names: readonly string[], values: readonly unknown[]): readonly unknown[] {
  return names.flatMap(name => {
    const having = values.filter(value => isFields(value) && Object.hasOwn(value, name)) as Record<string, unknown>[]
    if (having.length === 0 && values.length > 0) throw new Error(`${name} is not found`)
    return having.map(value => value[name])
  })
}

function listOf(value: unknown, more = ''): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new Error(`${typeOf(value)} is not array or slice${more}`)
}

function itemOf(list: readonly unknown[], index: number): unknown {
  const at = index < 0 ? list.length + index : index
  if (at >= 0 && at < list.length) return list[at]
  throw outOfBounds(at, list)
}

const outOfBounds = (index: number, list: readonly unknown[]): Error =>
  new Error(`array index out of bounds: index ${index}, length ${list.length}`)

function sliced(
  list: readonly unknown[],
  { from = 0, to = list.length, step }: Step & { is: 'slice' },
): readonly unknown[] {
  const [first, end] = [from, to].map(at => (at < 0 ? list.length + at : at)) as [number, number]
  if (first === end) return []
  if (first >= list.length || first < 0) throw outOfBounds(first, list)
  if (end > list.length || end < 0) throw outOfBounds(end - 1, list)
  if (first > end) throw new Error(`starting index ${first} is greater than ending index ${end}`)
  return list.slice(first, end).filter((_, at) => at % step === 0)
}

function holds({ path, operator, value }: Step & { is: 'filter' }, item: unknown): boolean {
  const found = foundOrNot(path, item)
  if (operator === undefined) return found !== undefined
  if (operator === '==') return found === value
  if (operator === '!=') return found !== value
  if (typeof found !== typeof value || (typeof found !== 'number' && typeof found !== 'string')) return false
  const right = value as typeof found
  if (operator === '<') return found < right
  if (operator === '<=') return found <= right
  return operator === '>' ? found > right : found >= right
}

/** Not every item of a list that is filtered has the field. */
function foundOrNot(path: readonly Step[], item: unknown): unknown {
  try {
    return walk(path, item)[0]
  } catch {
    return undefined
  }
}

const walk = (path: readonly Step[], root: unknown): readonly unknown[] =>
  path.reduce<readonly unknown[]>((found, step) => take(step, found), [root])

/** The first value that `{$.path}` finds, braces or not; undefined when it leads to nothing. Throws an Error that names
 * what is not there. */
export function firstMatch(template: string, root: unknown): unknown {
  const path = /^\s*\{(.*)\}\s*$/s.exec(template)?.[1] ?? template
  return walk(steps(path), root)[0]
}
