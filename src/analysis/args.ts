// The arguments of a run: {{args.NAME}} replaced in its metrics, secrets included, and hidden again in messages.
import type { AnalysisArgument, Metric } from '../api/analysis.ts'

/** What a secret stands for while a spec is checked. */
export const STAND_IN = 'temp-for-secret'

/** An argument that cannot be resolved; the message is what people read. */
export class ArgumentError extends Error {}

/** The arguments with every secret's value put in by `secret`. */
export const withSecrets = (
  args: readonly AnalysisArgument[] | undefined,
  secret: (name: string, key: string) => string,
): readonly AnalysisArgument[] =>
  (args ?? []).map(arg => {
    const ref = arg.valueFrom?.secretKeyRef
    return ref ? { ...arg, value: secret(ref.name, ref.key) } : arg
  })

/** A value inside of a JSON string. argo: written as a Go literal, so that some control characters break the JSON. */
function quoted(value: string): string {
  for (const char of value) {
    const code = char.codePointAt(0) ?? 0
    const letter = GO_ESCAPE[code]
    if (letter) throw new ArgumentError(`invalid character '${letter}' in string escape code`)
    if (code > 0xffff && !/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) {
      throw new ArgumentError(`invalid character 'U' in string escape code`)
    }
  }
  return JSON.stringify(value).slice(1, -1)
}

const GO_ESCAPE: Readonly<Record<number, string>> = Object.fromEntries([
  ...Array.from({ length: 32 }, (_, code) => [code, 'x'] as const).filter(
    ([code]) => ![8, 9, 10, 12, 13].includes(code),
  ),
  [7, 'a'],
  [11, 'v'],
  [127, 'x'],
])

/** JSON text with every placeholder replaced, in one pass. argo: a placeholder ends at the first two braces, wherever
 * they are, and of several that cannot be resolved the last is named. */
export function substitute(text: string, values: ReadonlyMap<string, string>): string {
  let result = ''
  let failure: string | undefined
  let rest = text
  for (;;) {
    const start = rest.indexOf('{{')
    if (start < 0) break
    const end = rest.indexOf('}}', start + 2)
    if (end < 0) break
    const tag = rest.slice(start + 2, end)
    const value = values.get(tag.replace(/^ +| +$/g, ''))
    if (value === undefined) failure = `failed to resolve {{${tag}}}`
    result += rest.slice(0, start) + (value ?? '')
    rest = rest.slice(end + 2)
  }
  if (failure !== undefined) throw new ArgumentError(failure)
  if (rest.includes('{{')) throw new ArgumentError(`failed to resolve ${rest.slice(rest.indexOf('{{'))}`)
  return result + rest
}

/** A metric with its arguments put in, everywhere, keys included. Throws ArgumentError. */
export function resolveMetric(metric: Metric, args: readonly AnalysisArgument[]): Metric {
  const values = new Map<string, string>()
  for (const { name, value } of args) {
    if (value === undefined || value === null) throw new ArgumentError(`argument "${name}" was not supplied`)
    values.set(`args.${name}`, value)
  }
  // The placeholders are looked for in JSON text, so a name is found as JSON writes it.
  const text = goText(metric)
  const escaped = new Map([...values].map(([name, value]) => [name, quoted(value)]))
  return JSON.parse(substitute(text, escaped)) as Metric
}

const stringText = (value: string): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** JSON as Go writes it: & < > escaped; the members in the order that the metric has them. */
function goText(value: unknown): string {
  if (typeof value === 'string') return stringText(value)
  if (Array.isArray(value)) return `[${value.map(goText).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.map(([key, field]) => `${stringText(key)}:${goText(field)}`).join()}}`
}

/** A message with every secret value hidden. */
export const redacted = (message: string, secrets: readonly string[]): string =>
  secrets.reduce((text, secret) => (secret === '' ? text : text.replaceAll(secret, '*****')), message)
