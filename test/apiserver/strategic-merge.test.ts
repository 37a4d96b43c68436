// Strategic merge patches, compared with what a real API server (1.37) made of them.
import { test } from 'tap'
import { StatusError } from '../../src/apiserver/model.ts'
import { strategicMerge } from '../../src/apiserver/strategic-merge.ts'
import type { KubeObject } from '../../src/contract.ts'
import { frozen, kindOf, recorded } from './fixtures/read.ts'

type Case = Readonly<{ kind: string; patch: unknown; result?: unknown; code?: number; message?: string }>
type Answer = { result?: unknown; code?: number; message?: string }

const [first, ...cases] = recorded<Readonly<{ live: Readonly<Record<string, KubeObject>> }> | Case>('strategic')
const live = frozen((first as { live: Readonly<Record<string, KubeObject>> }).live)

/** A patch with a value of the wrong type is refused in any case; ours is found when the object is read, with a 400. */
const wrongType = /^ "" is invalid: patch: |^list element types are not identical/

function patched({ kind, patch }: Case): Answer {
  const before = live[kind]
  if (!before) throw new Error(`no live ${kind}`)
  try {
    const merged = strategicMerge(kind, before, patch) as Record<string, unknown>
    const object = { apiVersion: before.apiVersion, kind, metadata: {}, ...merged } as unknown as Record<
      string,
      unknown
    >
    const def = kindOf(before)
    def.defaults?.(object)
    delete object['status']
    const causes = def.validate?.(object as unknown as KubeObject, before) ?? []
    return causes.length > 0
      ? { code: 422, message: causes.map(c => `${c.field}: ${c.message}`).join(', ') }
      : { result: object }
  } catch (error) {
    if (error instanceof StatusError) return { code: error.code, message: error.message }
    throw error
  }
}

for (const [i, one] of (cases as Case[]).entries()) {
  const verdict = one.code === undefined ? 'gives the same object' : `is refused with ${one.code}`
  test(`${one.kind} ${i}: ${JSON.stringify(one.patch).slice(0, 160)} ${verdict}`, async t => {
    frozen(one.patch)
    const answer = patched(one)
    if (one.code === undefined) t.strictSame(answer, { result: one.result })
    else if (wrongType.test(one.message ?? '')) t.equal(answer.code, 400)
    else if (one.code === 422) {
      t.equal(answer.code, 422)
      const parts = (one.message ?? '').replace(/^.*? is invalid: \[?|\]$/g, '')
      t.equal(answer.message, parts)
    } else t.strictSame(answer, { code: one.code, message: one.message })
  })
}

// biome-ignore format: a table reads best as a table
const table: Readonly<Record<string, [kind: string, live: unknown, patch: unknown, result: unknown]>> = {
  'pod conditions merge by type': ['Pod',
    { status: { conditions: [{ type: 'Ready', status: 'False' }, { type: 'Initialized', status: 'True' }] } },
    { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    { status: { conditions: [{ type: 'Ready', status: 'True' }, { type: 'Initialized', status: 'True' }] } }],
  'container statuses are replaced': ['Pod', { status: { containerStatuses: [{ name: 'a' }, { name: 'b' }] } },
    { status: { containerStatuses: [{ name: 'b' }] } }, { status: { containerStatuses: [{ name: 'b' }] } }],
  'a patch of nothing changes nothing': ['Pod', { spec: { a: 1 } }, {}, { spec: { a: 1 } }],
  'nulls in a new object are dropped': ['Pod', {}, { metadata: { labels: { a: null, b: 'c' } } }, { metadata: { labels: { b: 'c' } } }],
  'directives in a new list take effect': ['Pod', {}, { spec: { containers: [{ name: 'a', $patch: 'delete' }, { name: 'b' }] } },
    { spec: { containers: [{ name: 'b' }] } }],
  'a delete list on an absent list does nothing': ['Pod', {}, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }, { metadata: {} }],
}

for (const [name, [kind, before, patch, result]] of Object.entries(table)) {
  test(name, async t => {
    t.strictSame(strategicMerge(kind, frozen(before), frozen(patch)), result)
  })
}
