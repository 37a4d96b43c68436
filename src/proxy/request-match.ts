// Conditions on a request, compiled once per table: method, path, query, headers, cookies. All that are given must hold.
import type { Asked } from './asked.ts'
import { cookieOf, pathOf, stringTest, type Test } from './match.ts'
import type { StringMatchSpec } from './table.ts'

export type RequestMatchSpec = Readonly<{
  method?: StringMatchSpec | undefined
  /** The path as it came, without the query. `prefix` is a prefix of the text here, not of path elements. */
  path?: StringMatchSpec | undefined
  query?: Readonly<Record<string, StringMatchSpec>> | undefined
  headers?: Readonly<Record<string, StringMatchSpec>> | undefined
  cookies?: Readonly<Record<string, StringMatchSpec>> | undefined
}>

type Named = readonly [name: string, test: Test]

const named = (specs: Readonly<Record<string, StringMatchSpec>> | undefined): readonly Named[] =>
  Object.entries(specs ?? {}).map(([name, match]) => [name, stringTest(match)])

const holds = (test: Test, value: string | null | undefined): boolean => value != null && test(value)

/** Does a request meet one of the conditions? None are met by nothing. */
export function anyRequest(specs: readonly RequestMatchSpec[]): (asked: Asked) => boolean {
  const tests = specs.map(requestTest)
  return asked => tests.some(test => test(asked))
}

function requestTest(spec: RequestMatchSpec): (asked: Asked) => boolean {
  const method = spec.method && stringTest(spec.method)
  const path = spec.path && stringTest(spec.path)
  const headers = named(spec.headers).map(([name, test]): Named => [name.toLowerCase(), test])
  const cookies = named(spec.cookies)
  const query = named(spec.query)
  return asked =>
    (!method || method(asked.method())) &&
    (!path || path(pathOf(asked.target()))) &&
    headers.every(([name, test]) => holds(test, asked.header(name))) &&
    (cookies.length === 0 || inCookies(asked.header('cookie'), cookies)) &&
    (query.length === 0 || inQuery(asked.target(), query))
}

function inCookies(header: string | undefined, tests: readonly Named[]): boolean {
  return tests.every(([name, test]) => holds(test, cookieOf(header, name)))
}

/** Names and values are compared decoded; the first of a name counts. */
function inQuery(target: string, tests: readonly Named[]): boolean {
  const at = target.indexOf('?')
  if (at < 0) return false
  const query = new URLSearchParams(target.slice(at))
  return tests.every(([name, test]) => holds(test, query.get(name)))
}
