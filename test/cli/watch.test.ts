// Watching: in place on a terminal, block by block into a pipe, line by line in a list.
import { test } from 'tap'
import type { World } from '../../src/sim/world.ts'
import { cliWorld, run, storyObjects, watching } from './kit.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', namespace: 'default' }

async function settled(t: Parameters<typeof cliWorld>[0]): Promise<World> {
  const world = await cliWorld(t)
  await world.apply(storyObjects('canary-steps', 'cart'))
  await world.run(10)
  return world
}

test('into a pipe each change is a block, and time alone is none', async t => {
  const world = await settled(t)
  const shown = await watching(world, ['get', 'rollout', 'cart', '-w'])
  await world.run(5)
  const first = shown.stdout()
  t.match(first, /^Name: {12}cart\n/)
  t.equal(first.split('Name:').length, 2)
  t.notMatch(first, '\u001b', 'no cursor moves')
  await world.run(60)
  t.equal(shown.stdout(), first)
  await run(world, 'set image cart cart=example/app:v2')
  await world.run(10)
  const blocks = shown.stdout().split(/\n\n(?=Name:)/)
  t.ok(blocks.length > 2, `${blocks.length} blocks`)
  t.match(blocks.at(-1), /Status: {10}॥ Paused\nMessage: {9}CanaryPauseStep\n/)
  shown.stop()
  t.match(await shown.done, { code: 130, stderr: '' })
})

test('on a terminal the picture is redrawn in place, and stays when it ends', async t => {
  const world = await settled(t)
  const shown = await watching(world, ['get', 'rollout', 'cart', '-w', '--no-color'], { isTty: true })
  await world.run(2)
  const begin = shown.stdout()
  t.ok(begin.startsWith('\u001b[?1049h\u001b[?25l'), 'the alternate screen, no cursor')
  await world.run(1)
  const tick = shown.stdout().slice(begin.length)
  t.match(tick, '✔ Healthy  1', 'the ages go on')
  t.notMatch(tick, 'Namespace:', 'what did not change is not written')
  shown.stop()
  const { stdout } = await shown.done
  const last = stdout.slice(stdout.lastIndexOf('\u001b[?1049l') + '\u001b[?1049l'.length)
  t.match(last, /^Name: {12}cart\nNamespace: {7}default\n/, 'the last picture is left on the screen')
})

test('on a low terminal healthy pods are counted', async t => {
  const world = await settled(t)
  const shown = await watching(world, ['get', 'rollout', 'cart', '-w', '--no-color'], { isTty: true, rows: 20 })
  await world.run(2)
  t.match(shown.stdout(), '□ 4 pods ready')
  t.notMatch(shown.stdout(), '\u001b[21;1H', 'nothing is written below the screen')
  shown.stop()
  await shown.done
})

test('a watch ends after its time, and when its rollout goes', async t => {
  const world = await settled(t)
  const timed = await watching(world, ['get', 'rollout', 'cart', '-w', '--timeout-seconds', '5'])
  await world.run(6)
  t.match(await timed.done, { code: 0, stderr: '' })
  const left = await watching(world, ['get', 'rollout', 'cart', '-w'])
  await world.run(2)
  world.server.remove({ ...ROLLOUT, name: 'cart' })
  await world.run(2)
  t.match(await left.done, { code: 0, stderr: '' })
})

test('what is not there is said before any screen is opened', async t => {
  const world = await settled(t)
  const said = await run(world, 'get rollout missing -w', { isTty: true })
  t.strictSame(said, { code: 1, stdout: '', stderr: 'Error: rollout.argoproj.io "missing" not found\n' })
})

test('a list goes on with a line for every change', async t => {
  const world = await settled(t)
  const shown = await watching(world, ['list', 'rollouts', '-w'])
  await world.run(5)
  const lines = shown.stdout().split('\n')
  t.match(lines, [/^NAME {8}STRATEGY/, /^cart {8}Canary {5}Healthy {7}4\/4/])
  await world.run(60)
  t.equal(shown.stdout().split('\n').length, lines.length, 'time alone is no change')
  await run(world, 'set image cart cart=example/app:v2')
  await world.run(10)
  const later = shown.stdout().trimEnd().split('\n')
  t.match(later.at(-1), /^cart {8}Canary {5}Paused {8}1\/4 {3}25 /)
  t.equal(later.filter(line => line.startsWith('NAME')).length, 1)
  shown.stop()
  t.match(await shown.done, { code: 130 })
})
