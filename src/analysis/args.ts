// The arguments of a run: {{args.NAME}} replaced in its metrics, secrets included, and hidden again in messages.
import type { AnalysisArgument, Metric } from '../api/analysis.ts'
import { goQuote } from '../api/go-quote.ts'
import { EDGES } from './expr/text-functions.ts'
import { metricText } from './metric-order.ts'

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
const quoted = (value: string): string => goQuote(value).slice(1, -1)

/** The escape of a Go literal that JSON does not know. */
function badEscape(json: string): string | undefined {
  for (const [, letter = ''] of json.matchAll(/\\(.)/gs)) if (!'"\\/bfnrtu'.includes(letter)) return letter
  return undefined
}

/** A text cut at its placeholders: one text more than there are tags. */
type Pieces = Readonly<{ texts: readonly string[]; tags: readonly string[] }>

/** Throws ArgumentError. argo: a placeholder ends at the first two braces, wherever they are. */
function piecesOf(template: string): Pieces {
  const texts: string[] = []
  const tags: string[] = []
  let rest = template
  for (let start = rest.indexOf('{{'); start >= 0; start = rest.indexOf('{{')) {
    texts.push(rest.slice(0, start))
    rest = rest.slice(start + 2)
    const end = rest.indexOf('}}')
    if (end < 0) {
      const place = `the template=${goQuote(template)} starting from ${goQuote(rest)}`
      throw new ArgumentError(`Cannot find end tag="}}" in ${place}`)
    }
    tags.push(rest.slice(0, end))
    rest = rest.slice(end + 2)
  }
  return { texts: [...texts, rest], tags }
}

/** The text with every placeholder replaced, in one pass. argo: of several that cannot be resolved the last is named. */
function fill({ texts, tags }: Pieces, values: ReadonlyMap<string, string>): string {
  let failure: string | undefined
  const filled = tags.map((tag, i) => {
    const value = values.get(tag.replace(EDGES, ''))
    if (value === undefined) failure = `failed to resolve {{${tag}}}`
    return `${texts[i]}${value ?? ''}`
  })
  if (failure !== undefined) throw new ArgumentError(failure)
  return filled.join('') + texts.at(-1)
}

/** A text with every placeholder replaced by one of `values`, which are asked for once the text is read. Throws
 * ArgumentError. */
export function substitute(text: string, values: () => ReadonlyMap<string, string>): string {
  const pieces = piecesOf(text)
  return fill(pieces, values())
}

/** A metric with its arguments put in, everywhere, keys included. Throws ArgumentError. */
export function resolveMetric(metric: Metric, args: readonly AnalysisArgument[]): Metric {
  // The placeholders are looked for in JSON text, so a name is found as JSON writes it.
  const pieces = piecesOf(metricText(metric))
  const values = new Map<string, string>()
  for (const { name, value } of args) {
    if (value === undefined || value === null) throw new ArgumentError(`argument "${name}" was not supplied`)
    values.set(`args.${name}`, quoted(value))
  }
  const json = fill(pieces, values)
  const letter = badEscape(json)
  if (letter !== undefined) throw new ArgumentError(`invalid character '${letter}' in string escape code`)
  return JSON.parse(json) as Metric
}

/** A message with every secret value hidden. */
export const redacted = (message: string, secrets: readonly string[]): string =>
  secrets.reduce((text, secret) => (secret === '' ? text : text.replaceAll(secret, '*****')), message)
