// Records stories: plays scripts while another controller runs on a real API server, and writes down what followed.
// `node test/cluster/record.ts CONTROLLER SCRIPTS OUT [name...]`: the path of a rollouts-controller, a folder of stories of
// which objects and script count, and a folder for the recordings. STORIES=OUT then plays them against ours.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import type { Log } from '../../src/ports.ts'
import { systemClock } from '../../src/sim/clock.ts'
import { clusterStage } from '../../src/sim/cluster-stage.ts'
import { play } from '../../src/sim/player.ts'
import type { Story } from '../../src/sim/story.ts'
import { bringUp, say } from './bring-up.ts'

const AT_ONCE = Number(process.env['AT_ONCE'] ?? 6)
const [controller, scripts, out, ...names] = process.argv.slice(2)
if (controller === undefined || scripts === undefined || out === undefined) {
  say('usage: node test/cluster/record.ts CONTROLLER SCRIPTS OUT [name...]')
  process.exit(2)
}
const waiting = readdirSync(scripts)
  .filter(file => file.endsWith('.json') && (names.length === 0 || names.includes(file.slice(0, -5))))
  .sort()
  .map(file => JSON.parse(readFileSync(join(scripts, file), 'utf8')) as Story)
mkdirSync(out, { recursive: true })
const clock = systemClock()
const log: Log = { debug() {}, info() {}, warn() {}, error() {} }
const cluster = await bringUp()
const child = spawn(
  controller,
  ['--kubeconfig', cluster.kubeconfig, '--leader-elect=false', '--loglevel', 'error', '--kloglevel', '0'],
  { stdio: ['ignore', 'ignore', 'inherit'] },
)
const transport = undiciTransport(await loadKubeconfig({ path: cluster.kubeconfig }))
let failed = 0

async function record({ timeline: _, snapshots: __, ...script }: Story): Promise<void> {
  const { name, objects } = script
  const stage = await clusterStage({ transport, clock, random: Math.random, log }, name, objects)
  try {
    const recording = await play(script, stage)
    writeFileSync(join(out!, `${name}.json`), `${JSON.stringify({ ...script, ...recording }, undefined, 1)}\n`)
    say(`recorded ${name}`)
  } catch (error) {
    failed++
    say(`not ok ${name}: ${error instanceof Error ? error.message : error}`)
  } finally {
    await stage.close()
  }
}

async function worker(): Promise<void> {
  for (let story = waiting.shift(); story; story = waiting.shift()) await record(story)
}

try {
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
} finally {
  child.kill()
  await transport.close()
  await cluster.down()
}
process.exitCode = failed > 0 ? 1 : 0
