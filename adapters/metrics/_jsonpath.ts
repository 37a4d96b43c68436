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
  if (text === '*') return { is: 'all' }
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

const descendants = (value: unknown): readonly unknown[] => [value, ...children(value).flatMap(descendants)]

function take(step: Step, value: unknown, isOptional: boolean): readonly unknown[] {
  switch (step.is) {
    case 'all':
      return children(value)
    case 'descent':
      return descendants(value)
    case 'filter':
      return Array.isArray(value) ? value.filter(item => holds(step, item)) : []
    case 'slice':
      return Array.isArray(value) ? sliced(value, step) : []
    case 'field':
      return step.names.flatMap(name => {
        if (isFields(value) && Object.hasOwn(value, name)) return [value[name]]
        if (isOptional) return []
        throw new Error(`${name} is not found`)
      })
    case 'index':
      if (!Array.isArray(value)) throw new Error(`${JSON.stringify(value)} is not array or slice`)
      return step.indexes.map(index => {
        const at = index < 0 ? value.length + index : index
        if (at >= 0 && at < value.length) return value[at]
        throw new Error(`array index out of bounds: index ${index}, length ${value.length}`)
      })
  }
}

function sliced(list: readonly unknown[], { from, to, step }: Step & { is: 'slice' }): readonly unknown[] {
  const part = list.slice(from ?? 0, to ?? list.length)
  return step > 1 ? part.filter((_, at) => at % step === 0) : part
}

function holds({ path, operator, value }: Step & { is: 'filter' }, item: unknown): boolean {
  const [found] = walk(path, item, true)
  if (operator === undefined) return found !== undefined
  if (operator === '==') return found === value
  if (operator === '!=') return found !== value
  if (typeof found !== typeof value || (typeof found !== 'number' && typeof found !== 'string')) return false
  const right = value as typeof found
  if (operator === '<') return found < right
  if (operator === '<=') return found <= right
  return operator === '>' ? found > right : found >= right
}

function walk(path: readonly Step[], root: unknown, isOptional: boolean): readonly unknown[] {
  let found: readonly unknown[] = [root]
  let isLoose = isOptional
  for (const step of path) {
    found = found.flatMap(value => take(step, value, isLoose))
    // Below a descent not every branch has the field.
    isLoose ||= step.is === 'descent'
  }
  return found
}

/** The first value that `{$.path}` finds. Throws an Error that names what is not there. */
export function firstMatch(template: string, root: unknown): unknown {
  const path = /^\s*\{(.*)\}\s*$/s.exec(template)?.[1] ?? template
  const [first] = walk(steps(path), root, false)
  if (first === undefined) throw new Error(`${template} finds nothing`)
  return first
}
