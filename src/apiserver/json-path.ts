// The part of JSONPath that printer columns of custom kinds use: members, indexes, `[*]` and one-condition filters.

type Step =
  | Readonly<{ is: 'member'; name: string }>
  | Readonly<{ is: 'index'; at: number }>
  | Readonly<{ is: 'all' }>
  | Readonly<{ is: 'filter'; path: readonly Step[]; operator: string; value: unknown }>

const bracket = /^\[(?:(\*)|(-?\d+)|'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|\?\((.*?)\))\]/s
const member = /^\.?((?:\\.|[^.[\]\\])+)/s
const condition = /^\s*@(.*?)\s*(?:(==|!=|<=|>=|<|>)\s*('[^']*'|"[^"]*"|[^\s]+)\s*)?$/s

const plain = (name: string): string => name.replaceAll(/\\(.)/gs, '$1')

function literal(text: string | undefined): unknown {
  if (text === undefined) return undefined
  if (/^['"]/.test(text)) return text.slice(1, -1)
  if (text === 'true' || text === 'false') return text === 'true'
  return Number.isNaN(Number(text)) ? text : Number(text)
}

function stepOf(parts: RegExpExecArray): Step {
  const [, star, index, single, double, filter] = parts
  if (star !== undefined) return { is: 'all' }
  if (index !== undefined) return { is: 'index', at: Number(index) }
  if (filter === undefined) return { is: 'member', name: plain(single ?? double ?? '') }
  const [, path = '', operator = 'exists', value] = condition.exec(filter) ?? []
  return { is: 'filter', path: parse(path), operator, value: literal(value) }
}

function parse(path: string): Step[] {
  const steps: Step[] = []
  let rest = path
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .replace(/^\$/, '')
  while (rest !== '' && rest !== '.') {
    const parts = bracket.exec(rest)
    if (parts) {
      steps.push(stepOf(parts))
      rest = rest.slice(parts[0].length)
      continue
    }
    const name = member.exec(rest)
    if (!name) throw new Error(`unreadable JSONPath: ${path}`)
    steps.push(name[1] === '*' ? { is: 'all' } : { is: 'member', name: plain(name[1] ?? '') })
    rest = rest.slice(name[0].length)
  }
  return steps
}

function holds(item: unknown, step: Extract<Step, { is: 'filter' }>): boolean {
  const [found] = walk([item], step.path)
  if (step.operator === 'exists') return found !== undefined
  if (found === undefined) return false
  if (step.operator === '==') return found === step.value
  if (step.operator === '!=') return found !== step.value
  const [a, b] = [found as number, step.value as number]
  if (typeof found !== typeof step.value) return false
  if (step.operator === '<') return a < b
  if (step.operator === '>') return a > b
  return step.operator === '<=' ? a <= b : a >= b
}

function follow(value: unknown, step: Step): unknown[] {
  if (value === null || typeof value !== 'object') return []
  const items = Array.isArray(value) ? value : undefined
  switch (step.is) {
    case 'member': {
      if (items || !Object.hasOwn(value, step.name)) return []
      return [(value as Record<string, unknown>)[step.name]]
    }
    case 'index': {
      const at = items && step.at < 0 ? items.length + step.at : step.at
      return items && at >= 0 && at < items.length ? [items[at]] : []
    }
    case 'all':
      return Object.values(value)
    default:
      return (items ?? Object.values(value)).filter(item => holds(item, step))
  }
}

const walk = (values: readonly unknown[], steps: readonly Step[]): unknown[] => {
  let found = [...values]
  for (const step of steps) found = found.flatMap(value => follow(value, step))
  return found
}

/** Reads a JSONPath such as `.status.conditions[?(@.type=="Ready")].status` once, for many objects.
 * The answer finds all values, in order. Throws Error on a path that it cannot read. */
export function jsonPath(path: string): (object: unknown) => readonly unknown[] {
  const steps = parse(path)
  return object => walk([object], steps)
}
