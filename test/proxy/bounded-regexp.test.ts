// Expressions of tables: what they match is what JavaScript says, and no text makes them slow.
import { test } from 'tap'
import { compileRegExp } from '../../src/proxy/bounded-regexp.ts'
import { parseTable } from '../../src/proxy/table.ts'

// Each of them takes longer than anybody waits for where an engine goes back step by step.
const SLOW: readonly (readonly [expression: string, text: string, hit: boolean])[] = [
  ['^(a+)+$', `${'a'.repeat(5000)}b`, false],
  ['^(\\w+\\s?)*$', `${'a'.repeat(5000)}!`, false],
  ['^(a|a)*$', `${'a'.repeat(5000)}b`, false],
  ['^(.*a){20}$', `${'a'.repeat(3000)}b`, false],
  ['^((?:x{1,40}){1,20})+$', `${'x'.repeat(3000)}y`, false],
  ['^([a-z]{2,20}-?){2,20}$', `${'ab'.repeat(1500)}!`, false],
  ['(.+)+=(.+)+;', `${'a'.repeat(3000)}=${'b'.repeat(3000)}`, false],
]

for (const [expression, text, hit] of SLOW)
  test(`soon over: ${expression}`, { timeout: 20_000 }, async t => {
    const { regExp, isBounded } = compileRegExp(expression)
    t.ok(isBounded)
    t.equal(regExp.test(text), hit)
  })

const COUNTED = [
  'a{40}',
  '^a{2,40}$',
  '^(?:ab|c){2,40}$',
  '^[)(\\]]{30,}x',
  '\\x61{40}',
  '\\u0061{40}$',
  'a{2,40}?b',
  'x{,40}',
  'a{0}b',
  '(?<n>a{40})|b{3}',
  '\\(a{40}\\)',
  '(?<!a{1,40})b',
]
const TEXTS = [
  ...[0, 1, 2, 3, 29, 30, 39, 40, 41].map(n => 'a'.repeat(n)),
  'aab',
  'ababc',
  'bbb',
  ')('.repeat(15),
  'x{,40}',
]

for (const expression of COUNTED)
  test(`as JavaScript: ${expression}`, async t => {
    const { regExp, isBounded } = compileRegExp(expression)
    const own = new RegExp(expression)
    t.ok(isBounded)
    for (const text of [...TEXTS, ...TEXTS.map(x => `${x}x`), `(${'a'.repeat(40)})`])
      t.equal(regExp.test(text), own.test(text), JSON.stringify(text))
  })

test('a table with an expression that cannot be bounded, or is none, is refused', async t => {
  const table = (regex: string) => ({
    routes: [
      {
        name: 'web',
        dests: [{ role: 'stable' as const, weight: 100, upstream: 'http://a:1' }],
        rules: [{ to: 'stable' as const, anyOf: [{ path: { regex } }] }],
      },
    ],
  })
  for (const regex of ['^/a(?=b)', '(a)\\1', 'a{99999}', '((a{0,100}){0,100}){0,100}'])
    t.throws(() => parseTable(table(regex), 'x'), { message: /path\.regex: could take for ever/ }, regex)
  t.throws(() => parseTable(table('('), 'x'), { message: /path\.regex: is not a regular expression/ })
  t.ok(parseTable(table('^/v[0-9]{1,3}/(shop|pay)$'), 'x'))
})
