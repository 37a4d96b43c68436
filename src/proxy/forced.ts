// What decides about a request before anything that spreads: the preview header, header routes, rules, ingress-nginx's own.
import type { Asked } from './asked.ts'
import { compileRegExp, regExpFault } from './bounded-regexp.ts'
import type { Dest } from './compile.ts'
import { cookieOf, stringTest, type Test } from './match.ts'
import { anyRequest } from './request-match.ts'
import type { Route } from './table.ts'

/** A role, or `other`: any version but the canary. Undefined: nothing has been decided. */
export type Verdict = 'stable' | 'canary' | 'active' | 'preview' | 'other' | undefined

type Decide = (asked: Asked) => Verdict

/** The first that speaks decides. Undefined where nothing has a say: then nothing is asked. */
export function forcedBy(route: Route, dests: readonly Dest[]): Decide | undefined {
  const all = [
    previewHeader(route),
    headerRoutes(route),
    rulesOf(route, dests),
    route.canaryBy && nginxRule(route.canaryBy),
  ]
  const parts = all.filter(part => part !== undefined)
  if (parts.length === 0) return undefined
  return asked => {
    for (const part of parts) {
      const verdict = part(asked)
      if (verdict !== undefined) return verdict
    }
    return undefined
  }
}

function previewHeader({ preview }: Route): Decide | undefined {
  if (!preview?.header) return undefined
  const { value } = preview.header
  const name = preview.header.name.toLowerCase()
  return asked => {
    const marked = asked.header(name)
    return marked !== undefined && (value === undefined || marked === value) ? 'preview' : undefined
  }
}

function headerRoutes(route: Route): Decide | undefined {
  const tests = route.headerRoutes.flatMap(r =>
    r.anyOf.map(({ header, value }): [string, Test] => [header.toLowerCase(), stringTest(value)]),
  )
  if (tests.length === 0) return undefined
  return asked => {
    for (const [name, test] of tests) {
      const value = asked.header(name)
      if (value !== undefined && test(value)) return 'canary'
    }
    return undefined
  }
}

/** A rule is silent while its version has no pods: it opens a way to a version, and must not outlive it. */
function rulesOf(route: Route, dests: readonly Dest[]): Decide | undefined {
  const rules = route.rules
    .filter(({ to }) => dests.some(dest => dest.role === to && dest.endpoints.length > 0))
    .map(({ to, anyOf }) => ({ to, hits: anyRequest(anyOf) }))
  return rules.length === 0 ? undefined : asked => rules.find(({ hits }) => hits(asked))?.to
}

/** ingress-nginx: header value, else header pattern (a broken one means never, and so does one of unbounded time), else always/never; then the cookie. */
function nginxRule(by: NonNullable<Route['canaryBy']>): Decide {
  const name = by.header?.toLowerCase()
  const pattern = by.pattern ? regExp(by.pattern) : undefined
  return asked => {
    const value = name === undefined ? undefined : asked.header(name)
    if (value !== undefined) {
      if (by.value) {
        if (value === by.value) return 'canary'
      } else if (by.pattern) {
        if (!pattern) return 'other'
        if (pattern.test(value)) return 'canary'
      } else if (value === 'always' || value === 'never') return value === 'always' ? 'canary' : 'other'
    }
    const cookie = by.cookie ? cookieOf(asked.header('cookie'), by.cookie) : undefined
    return cookie === 'always' ? 'canary' : cookie === 'never' ? 'other' : undefined
  }
}

function regExp(text: string): RegExp | undefined {
  return regExpFault(text) === undefined ? compileRegExp(text).regExp : undefined
}
