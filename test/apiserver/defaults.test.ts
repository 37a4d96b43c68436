// What our server makes of an object, compared with what a real API server (1.37) made of it.
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { kindOf, recorded } from './fixtures/read.ts'

type Case = Readonly<{ name: string; sent: KubeObject; kept: Record<string, unknown> }>
type Draft = Record<string, unknown> & { metadata: Record<string, unknown> }

/** Where we differ, and why: the real value is taken out before comparing. */
const exceptions: Readonly<Record<string, (kept: Record<string, unknown>) => void>> = {
  // No node controller would ever take the taint away again.
  'a bare Node': kept => {
    kept['spec'] = {}
  },
}

for (const { name, sent, kept } of recorded<Case>('defaults')) {
  test(`${name} is stored as the real server stores it`, async t => {
    const def = kindOf(sent)
    const draft = structuredClone(sent) as unknown as Draft
    // The recording has no names of its own; a Job's selector is made from its uid.
    draft.metadata['uid'] = 'UID'
    def.defaults?.(draft)
    delete draft.metadata['uid']
    if (def.generation !== 'none') draft.metadata['generation'] = 1
    if (def.kind === 'Job') delete draft['status']
    exceptions[name]?.(kept)
    t.strictSame(draft, kept)
  })
}

test('setting defaults twice changes nothing more', async t => {
  for (const { name, kept } of recorded<Case>('defaults')) {
    const def = kindOf(kept as unknown as KubeObject)
    const once = structuredClone(kept)
    def.defaults?.(once)
    const twice = structuredClone(once)
    def.defaults?.(twice)
    t.strictSame(twice, once, name)
  }
})
