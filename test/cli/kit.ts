// What commands import when they need it is imported here, so that time does not pass while they load.
// Runs commands in this process against the embedded API server with the real controller, on a virtual clock.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { crds } from '../../src/api/crd.ts'
import { directTransport } from '../../src/apiserver/direct.ts'
import type { Io } from '../../src/cli/command.ts'
import { runCli } from '../../src/cli/main.ts'
import type { KubeObject } from '../../src/contract.ts'
import { startController } from '../../src/controller/manager.ts'
import { loadKnown, loadProviders } from '../../src/controller/registry.ts'
import type { Log } from '../../src/ports.ts'
import '../../src/cli/show-experiment.ts'
import '../../src/cli/show-experiments.ts'
import '../../src/cli/show-rollout.ts'
import '../../src/cli/show-rollouts.ts'
import '../../src/cli/show-status.ts'
import '../../src/rollout/undo.ts'
import { createWorld, type World, type WorldOptions } from '../../src/sim/world.ts'

export const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

type Teardown = Readonly<{ teardown(run: () => Promise<void>): void }>

/** A world in which the product's controller runs, or (`controller: false`) one that stands still. */
export async function cliWorld(t: Teardown, { controller = true } = {}): Promise<World> {
  const [known, providers] = await Promise.all([loadKnown(), loadProviders()])
  const start: WorldOptions['controller'] = ({ server, clock, random }) =>
    startController({
      transport: directTransport(server),
      clock,
      random,
      log: SILENT,
      known,
      providers,
      fetch: async () => Promise.reject(new Error('there is no outside here')),
    })
  const world = await createWorld({ crds: crds(), ...(controller ? { controller: start } : { kubelet: 'none' }) })
  t.teardown(() => world.stop())
  return world
}

export type Said = Readonly<{ code: number; stdout: string; stderr: string }>

export type Running = Readonly<{ done: Promise<Said>; stdout(): string; stop(): void }>

export type Around = Readonly<{ isTty?: boolean; env?: Record<string, string>; rows?: number; namespace?: string }>

/** Starts a command; `stop` is Ctrl-C. */
export function start(world: World, argv: readonly string[], around: Around = {}): Running {
  const ending = new AbortController()
  let stdout = ''
  let stderr = ''
  const io: Io = {
    program: 'pintle',
    write: text => {
      stdout += text
    },
    complain: text => {
      stderr += text
    },
    isTty: around.isTty ?? false,
    size: () => ({ columns: 120, rows: around.rows ?? 50 }),
    env: around.env ?? {},
    clock: world.clock,
    stopped: () => ending.signal,
    dial: async () => ({ transport: directTransport(world.server), namespace: around.namespace ?? 'default' }),
  }
  const done = runCli(argv, io).then(code => ({ code, stdout, stderr }))
  return { done, stdout: () => stdout, stop: () => ending.abort() }
}

/** Starts a command that watches, and waits until it has shown something. */
export async function watching(world: World, argv: readonly string[], around?: Around): Promise<Running> {
  const running = start(world, argv, around)
  while (running.stdout() === '') await turn()
  return running
}

/** Real milliseconds that a command has to load. */
const LOADING = 150
/** Event loop turns after which a command that is not done is waiting for time to pass. */
const TURNS = 50

/** Runs a command to its end; time passes only when it waits for that, at most ten minutes. */
export async function run(world: World, command: string | readonly string[], around?: Around): Promise<Said> {
  const argv = typeof command === 'string' ? command.split(' ').filter(word => word !== '') : command
  const running = start(world, argv, around)
  let said: Said | undefined
  const done = running.done.then(one => {
    said = one
  })
  // A command reads files before it asks anything; no time may pass meanwhile, however busy the machine is.
  for (let waited = 0; waited < LOADING && !said; waited += 2) await pause(2)
  for (let seconds = 0; seconds < 600; seconds += 0.25) {
    for (let i = 0; i < TURNS && !said; i++) await turn()
    if (said) return said
    await world.run(0.25)
  }
  running.stop()
  await done
  throw new Error(`not done after ten minutes: ${argv.join(' ')}; it said ${running.stdout()}`)
}

type Story = Readonly<{ objects: readonly KubeObject[]; snapshots: Record<string, { objects: readonly KubeObject[] }> }>

/** The objects that a recorded story begins with, with another name in place of `app`, labels' keys included. */
export function storyObjects(story: string, name: string): readonly KubeObject[] {
  const folder = process.env['STORIES'] ?? join(import.meta.dirname, '../stories')
  const { objects } = JSON.parse(readFileSync(join(folder, `${story}.json`), 'utf8')) as Story
  const renamed = JSON.stringify(objects).replaceAll(/"app(-[a-z]+)?"/g, (_, suffix = '') => `"${name}${suffix}"`)
  return JSON.parse(renamed) as readonly KubeObject[]
}
