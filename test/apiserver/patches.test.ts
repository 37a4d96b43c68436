// JSON patches and merge patches.
import { test } from 'tap'
import { applyJsonPatch } from '../../src/apiserver/json-patch.ts'
import { applyMergePatch } from '../../src/apiserver/merge-patch.ts'
import { StatusError } from '../../src/apiserver/model.ts'
import { frozen } from './fixtures/read.ts'

const doc = { a: 'b', list: [1, 2, 3], deep: { x: { y: 1 } }, 'a/b~c': 0 }

// biome-ignore format: a table reads best as a table
const patches: Readonly<Record<string, [ops: unknown, result: Record<string, unknown>]>> = {
  'add sets a member': [[{ op: 'add', path: '/n', value: 1 }], { ...doc, n: 1 }],
  'add inserts before an index': [[{ op: 'add', path: '/list/1', value: 9 }], { ...doc, list: [1, 9, 2, 3] }],
  'add at the length appends': [[{ op: 'add', path: '/list/3', value: 9 }], { ...doc, list: [1, 2, 3, 9] }],
  'add at - appends': [[{ op: 'add', path: '/list/-', value: 9 }], { ...doc, list: [1, 2, 3, 9] }],
  'add without a value adds null': [[{ op: 'add', path: '/n' }], { ...doc, n: null }],
  'remove takes out of a list': [[{ op: 'remove', path: '/list/0' }], { ...doc, list: [2, 3] }],
  'remove counts negative indexes from the end': [[{ op: 'remove', path: '/list/-1' }], { ...doc, list: [1, 2] }],
  'replace of a missing member adds it, as on the real server': [[{ op: 'replace', path: '/zz', value: 1 }], { ...doc, zz: 1 }],
  'replace of the whole document': [[{ op: 'replace', path: '', value: { q: 1 } }], { q: 1 }],
  'copy of a missing member copies null': [[{ op: 'copy', from: '/q', path: '/z' }], { ...doc, z: null }],
  'move takes from one place to another': [[{ op: 'move', from: '/deep/x', path: '/x' }], { ...doc, deep: {}, x: { y: 1 } }],
  'test passes on the same value, whatever the order of its members': [[{ op: 'test', path: '/deep', value: { x: { y: 1 } } }], doc],
  'test of a missing member against null passes': [[{ op: 'test', path: '/q', value: null }], doc],
  'escapes in paths': [[{ op: 'replace', path: '/a~1b~0c', value: 1 }], { ...doc, 'a/b~c': 1 }],
  'operations see what those before them did': [[{ op: 'add', path: '/n', value: [] }, { op: 'add', path: '/n/0', value: 1 }], { ...doc, n: [1] }],
}

for (const [name, [ops, result]] of Object.entries(patches)) {
  test(name, async t => {
    t.strictSame(applyJsonPatch(frozen(structuredClone(doc)), frozen(ops)), result)
  })
}

const unfit = 'the server rejected our request due to an error in our request'
const decoding = 'error decoding patch: json: cannot unmarshal'

// biome-ignore format: a table reads best as a table
const refused: Readonly<Record<string, [ops: unknown, code: number, message: string]>> = {
  'a failed test': [[{ op: 'test', path: '/a', value: 'c' }], 422, unfit],
  'a test of a missing member': [[{ op: 'test', path: '/q', value: 'x' }], 422, unfit],
  'a remove of a missing member': [[{ op: 'remove', path: '/zz' }], 422, unfit],
  'a move of a missing member': [[{ op: 'move', from: '/q', path: '/z' }], 422, unfit],
  'an add below a missing parent': [[{ op: 'add', path: '/no/x', value: 1 }], 422, unfit],
  'an add behind the end of a list': [[{ op: 'add', path: '/list/9', value: 1 }], 422, unfit],
  'an add at no index': [[{ op: 'add', path: '/list/x', value: 1 }], 422, unfit],
  'an add without a path': [[{ op: 'add', value: 1 }], 422, unfit],
  'an unknown operation': [[{ op: 'bad', path: '/a' }], 422, unfit],
  'a remove of everything': [[{ op: 'remove', path: '' }], 422, unfit],
  'a patch that is no list': [{ op: 'test' }, 400, `${decoding} object into Go value of type []handlers.jsonPatchOp`],
  'an operation that is no object': [[3], 400, `${decoding} number into Go value of type handlers.jsonPatchOp`],
  'too many operations': [Array(10_001).fill({ op: 'test', path: '/a', value: 'b' }), 413, 'The allowed maximum operations in a JSON patch is 10000, got 10001'],
}

for (const [name, [ops, code, message]] of Object.entries(refused)) {
  test(`${name} is refused with ${code}`, async t => {
    try {
      applyJsonPatch(frozen(structuredClone(doc)), ops)
      t.fail('was accepted')
    } catch (error) {
      t.ok(error instanceof StatusError)
      t.match(error, { code, message })
    }
  })
}

// The examples of RFC 7386, appendix A.
// biome-ignore format: a table reads best as a table
const merges: readonly [doc: unknown, patch: unknown, result: unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [['a', 'b'], ['c', 'd'], ['c', 'd']],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

for (const [before, patch, result] of merges) {
  test(`${JSON.stringify(before)} merged with ${JSON.stringify(patch)}`, async t => {
    t.strictSame(applyMergePatch(frozen(before), frozen(patch)), result)
  })
}

test('a member named __proto__ is data, not a prototype', async t => {
  const patch: unknown = JSON.parse('{"__proto__":{"polluted":1}}')
  const merged = applyMergePatch({}, patch) as Record<string, unknown>
  t.equal((merged as { polluted?: unknown }).polluted, undefined)
  t.ok(Object.hasOwn(merged, '__proto__'))
  const added = applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: 1 } }])
  t.equal((added as { polluted?: unknown }).polluted, undefined)
})
