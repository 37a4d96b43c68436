// Corners of the condition language that the tables of reference results do not touch.
import { test } from 'tap'
import { evaluateCondition } from '../../src/analysis/expr/condition.ts'

/** A condition, the measured result, and what comes of it: true, false or the text of the error. */
const CORNERS: readonly (readonly [condition: string, result: unknown, outcome: boolean | string])[] = [
  // What may stand behind what.
  ['5[0] == 1', 5, 'unexpected token Bracket("[")'],
  ['nil?.a == nil', 5, 'unexpected token Operator("?.")'],
  ['result[0](1)', [1], 'unexpected token Bracket("(")'],
  ['result. == 1', 5, 'expected name'],
  ['result not 5', 5, 'unexpected token Number("5")'],
  ['result == "" ""', '', 'unexpected token String'],
  ['result | len()[0] == 1', [1], 'unexpected token Bracket("[")'],
  ['findIndex() == 1', [1], 'expected at least 2 arguments'],
  ['sortBy(result) == []', [1], 'expected at least 3 arguments'],
  ['any(result, # > 1; true)', [1], 'wrap predicate with brackets { and }'],
  ['!true && false == false', 5, false],
  ['result =< 0b2', 5, 'unexpected token Operator("=")'],
  // What is known before the run, in Go's words.
  ['result.a > 1', null, 'type nil has no field a'],
  ['result() == 1', null, 'result is nil; cannot call nil as function'],
  ['result.a contains true', { a: 'x' }, 'invalid operation: contains (mismatched types interface {} and bool)'],
  ['result == 1..2', 1, 'invalid operation: == (mismatched types float64 and []interface {})'],
  ['nil in result', {}, 'cannot use unknown as type string in map key'],
  ['get(result, 0) == 1', 'x', 'type string does not support indexing'],
  ['filter(result, #index > 0) == []', [1], 'unknown pointer #index'],
  ['any(result, nil)', [1], 'predicate should has one input and one output param'],
  ['split(result, ",") == []', 5, 'not enough arguments to call split'],
  ['trimPrefix(result, "v") == "1"', null, 'too many arguments to call trimPrefix'],
  ['bitand([], result.b) == 1', 5, 'cannot use []interface {} as argument (type int) to call bitand '],
  ['sort(result) == []', null, 'cannot use nil as argument (type []int) to call sort'],
  ['uniq(result) == []', 5, 'cannot uniq float64'],
  ['len == 2', [], 'invalid operation: == (mismatched types func(...interface {}) (interface {}, error) and int)'],
  ['upper == 2', [], 'invalid operation: == (mismatched types func(string) string and int)'],
  ['split("a", ",")', 5, 'expected bool, but got []string'],
  ['toPairs({a: 1})', 5, 'expected bool, but got [][2]interface {}'],
  ['groupBy(result, # > 1)', [1], 'expected bool, but got map[interface {}][]interface {}'],
  // What a run makes of it.
  ['all(result.xs, # > 1)', {}, 'reflect: call of reflect.Value.Len on zero Value'],
  ['all(result.a, # > 96)', { a: 'abc' }, true],
  ['all(result.a, # > 1)', { a: { b: 1 } }, 'reflect: call of reflect.Value.Index on map Value'],
  ['max(result.a) == nil', {}, true],
  ['result[-3] == 1', Float64Array.of(1, 2), 'index out of range: -1 (array length is 2)'],
  ['result.a()', { a: 1 }, 'invalid operation: cannot call non-function of type float64'],
  ['keys(result.a) == []', {}, 'cannot get keys from invalid'],
  ['+result.a == nil', {}, true],
  ['false && 5 % (1 - 1) == 1', {}, 'integer divide by zero'],
  ['5 % result.a == 1', { a: 0n }, 'runtime error: integer divide by zero'],
  ['2 ** result.a > 1', {}, 'invalid operation: float(<nil>)'],
]

test('conditions: corners of the language', async t => {
  for (const [condition, result, outcome] of CORNERS) {
    const { value, error } = evaluateCondition(condition, result, 0)
    t.equal(value ?? error, outcome, condition)
  }
})

test('dates: read by layouts', async t => {
  const rows: readonly (readonly [expression: string, outcome: boolean | string])[] = [
    ['date("02.01.2024 3:04PM", "02.01.2006 3:04PM") == date("2024-01-02 15:04:00")', true],
    ['date("Tue, 02 Jan 2024 15:04:05 GMT") == date("2024-01-02T15:04:05Z")', true],
    ['date("Jan  2, 2024", "Jan 2, 2006") == date("2024-01-02")', true],
    ['date("2024-01-02T10:00:00+02:00") == date("2024-01-02T08:00:00Z")', true],
    ['date("x", "2006") == now()', 'parsing time "x" as "2006": cannot parse "x" as "2006"'],
    ['date("2023-02-29", "2006-01-02") == now()', 'parsing time "2023-02-29": day out of range'],
    ['date("2024-01-02x", "2006-01-02") == now()', 'parsing time "2024-01-02x": extra text: "x"'],
    ['date("2024", "2006", "Nowhere/X") == now()', 'unknown time zone Nowhere/X'],
  ]
  for (const [expression, outcome] of rows) {
    const { value, error } = evaluateCondition(expression, 1, 0)
    t.equal(value ?? error, outcome, expression)
  }
})
