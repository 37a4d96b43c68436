// What files of manifests may hold: documents, Lists of objects, and nothing else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { readManifests } from '../../src/cli/manifest.ts'

test('documents and Lists are read alike', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'pintle-manifests-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'all.yaml')
  const rollout = (name: string) => `{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: ${name}}}`
  const namesIn = async (text: string) => {
    writeFileSync(file, text)
    return (await readManifests(file)).map(({ metadata }) => metadata.name)
  }
  const list = (items: string) => `{apiVersion: v1, kind: List, items: [${items}]}`
  t.same(await namesIn(`${rollout('one')}\n---\n${rollout('two')}\n`), ['one', 'two'])
  t.same(await namesIn(`${list(`${rollout('one')}, ${rollout('two')}`)}\n---\n${rollout('three')}`), [
    'one',
    'two',
    'three',
  ])
  await t.rejects(namesIn(list('{kind: Rollout}')), { code: 'PIN1005' })
})
