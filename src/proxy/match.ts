// Small matchers compiled once per table: strings, hosts, path prefixes, cookies.
import { compileRegExp } from './bounded-regexp.ts'
import type { StringMatchSpec } from './table.ts'

export type Test = (value: string) => boolean

/** Compiles one of exact, prefix or regex (unanchored). */
export function stringTest(match: StringMatchSpec): Test {
  const { exact, prefix, regex } = match
  if (exact !== undefined) return value => value === exact
  if (prefix !== undefined) return value => value.startsWith(prefix)
  const { regExp } = compileRegExp(regex ?? '')
  return value => regExp.test(value)
}

/** The Host header without port, in lower case, without the dot of a rooted name. */
export function hostName(host: string): string {
  const bare = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.replace(/:\d*$/, '')
  return bare.toLowerCase().replace(/\.$/, '')
}

/** Path of a request target, without the query. */
export function pathOf(target: string): string {
  const end = target.indexOf('?')
  return end < 0 ? target : target.slice(0, end)
}

/** Whole path elements: /app covers /app and /app/x, not /apple; a slash at the end of the prefix does not count. */
export function underPrefix(path: string, prefix: string): boolean {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  return path.startsWith(bare) && (path.length === bare.length || path.charCodeAt(bare.length) === 47)
}

/** Cuts a matched prefix off a request target; the rest keeps its query and begins with a slash. */
export function stripPrefix(target: string, prefix: string): string {
  const rest = target.slice(prefix.endsWith('/') ? prefix.length - 1 : prefix.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Value of a cookie; the first of its name counts. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}
