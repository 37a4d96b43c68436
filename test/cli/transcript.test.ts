// The reference's transcript, command by command, in one namespace with the real controller: exit codes, stdout, stderr.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { stringify } from 'yaml'
import type { KubeObject } from '../../src/contract.ts'
import { cliWorld, run, type Said, storyObjects } from './kit.ts'

type Row = Readonly<{ name: string; command: string; want: Said }>

const folder = process.env['VECTORS'] ?? join(import.meta.dirname, '../vectors')
const file = join(folder, 'cli.json')

/** Rows that are not compared, and why. */
const skipped: Readonly<Record<string, string>> = {
  '64 get rollout cart --no-color': 'the moment within an update differs from run to run',
  '69 get rollout shop --no-color': 'the moment within a restart differs from run to run',
  '72 set image judge judge=example/app:v2': 'the story of the rollout judge is not among ours',
  '73 get rollout judge --no-color': 'the story of the rollout judge is not among ours',
}

const settled = 'nothing to promote: the current revision is the stable one\n'
/** What we say where the reference says less, or worse. */
const better: Readonly<Record<string, Partial<Said>>> = {
  '29 abort cart': { stderr: 'nothing to abort: the update was aborted before\n' },
  '32 retry rollout cart': { stderr: 'nothing to retry: the rollout is not aborted\n' },
  '41 promote cart': { stderr: 'nothing to promote: a full promotion is under way\n' },
  '44 promote shop': { stderr: settled },
  '51 abort cart shop': {
    stderr: 'nothing to abort: no update is in progress\nnothing to abort: no update is in progress\n',
  },
  '65 pause cart': { stderr: 'nothing to pause: the rollout is paused already\n' },
  '71 restart shop --in nonsense': {
    code: 1,
    stderr: 'Error: time: invalid duration "nonsense" (PIN1003)\nWrite a duration such as 30s, 10m or 1h30m.\n',
  },
}

const isRead = (command: string): boolean => /^(get|list|status) /.test(`${command} `)

/** What differs from run to run is replaced; the usage text stands for itself. */
function plain({ code, stdout, stderr }: Said): Said {
  const screen = stdout
    .replaceAll(/^.*\bjudge\b.*\n/gm, '')
    .replaceAll(/-([a-z0-9]{5})( +Pod)/g, '-<pod>$2')
    .replaceAll(/ {2}(\d+[smh])+ {2,}/g, '  <age> ')
    .replaceAll(/(STATUS +)AGE +INFO/g, '$1AGE INFO')
    .replaceAll(/^([├└│ ─]*# revision:\d+ +)$/gm, text => text.trimEnd())
    .replaceAll(/^\d{4}-\d\d-\d\dT[\d:]+Z/gm, '<time>')
  return { code, stdout: screen, stderr: stderr.startsWith('Usage: ') ? '<usage>' : stderr }
}

const named = (said: Said): Said => ({ ...said, stderr: said.stderr.replaceAll('kubectl-argo-rollouts', 'pintle') })

function manifests(): Readonly<Record<string, string>> {
  const good = storyObjects('canary-steps', 'app').map(object => stringify(object))
  const rollout = storyObjects('canary-steps', 'app').find(({ kind }) => kind === 'Rollout') as KubeObject
  return {
    'good.yaml': good.join('---\n'),
    'bad.yaml': stringify(rollout).replace(/setWeight: \d+/, 'setWeight: 150'),
    'broken.yaml': 'kind: Rollout\nspec: broken: yaml\n',
    'unknown-field.yaml': stringify({ ...rollout, spec: { ...(rollout['spec'] as object), replica: 3 } }),
    'other-kind.yaml': stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' } }),
  }
}

test('the transcript of the reference', { skip: !existsSync(file) && `no ${file}` }, async t => {
  const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly Row[]
  const place = mkdtempSync(join(tmpdir(), 'pintle-'))
  t.teardown(() => rmSync(place, { recursive: true }))
  for (const [name, text] of Object.entries(manifests())) writeFileSync(join(place, name), text)
  const world = await cliWorld(t)
  await world.apply(storyObjects('canary-abort-retry', 'cart'), 'cli')
  await world.apply(storyObjects('bg-manual', 'shop'), 'cli')
  await world.apply(storyObjects('nginx-steps', 'web'), 'cli')
  await world.run(10)

  for (const { name, command, want } of rows) {
    const skip = skipped[name] ?? false
    const wanted = plain({ ...named(want), ...better[name] })
    const argv = [...command.split(' ').map(word => (word.endsWith('.yaml') ? join(place, word) : word)), '-n', 'cli']
    const here = (said: Said): Said => plain({ ...said, stderr: said.stderr.replaceAll(`${place}/`, '') })
    await t.test(name, { skip }, async t => {
      let said = here(await run(world, argv))
      // Some seconds passed between the commands: what is only looked at may take as long.
      for (let i = 0; i < 40 && isRead(command) && JSON.stringify(said) !== JSON.stringify(wanted); i++) {
        await world.run(0.5)
        said = here(await run(world, argv))
      }
      t.strictSame(said, wanted)
    })
    // What a command wrote, the controller has seen before the next one is typed.
    await world.run(0.1)
  }
})
