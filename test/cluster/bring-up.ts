// Brings up a real kube-apiserver on loopback, or takes the one of KUBECONFIG, for suites and benchmarks.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isFree } from '../../src/sim/free-port.ts'

export const root = resolve(import.meta.dirname, '../..')
const controlplane = resolve(root, '../shared/controlplane')
export const say = (text: string): boolean => process.stdout.write(`${text}\n`)

/** Runs a command with its output shown, unless quiet; resolves with its exit code and all that it said. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, quiet = false) {
  return new Promise<{ code: number; output: string }>((done, fail) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (data: Buffer) => {
      output += data.toString()
      if (!quiet) process.stdout.write(data)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', fail)
    child.on('close', code => done({ code: code ?? 1, output }))
  })
}

/** The folder with kube-apiserver and the rest; built once when only its source is there. */
async function findAssets(): Promise<string> {
  const given = process.env['KUBEBUILDER_ASSETS']
  if (given) return given
  if (!existsSync(join(controlplane, 'build'))) {
    throw new Error('there is no cluster: set KUBECONFIG, or KUBEBUILDER_ASSETS to a folder with kube-apiserver')
  }
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'pintle', 'controlplane')
  await mkdir(cache, { recursive: true })
  const began = Date.now()
  const beat = setInterval(
    () => say(`building the control plane … ${Math.round((Date.now() - began) / 1000)} s`),
    30_000,
  )
  const { code, output } = await run('bash', [join(controlplane, 'build')], { ...process.env, OUT: cache }, true)
  clearInterval(beat)
  if (code !== 0) throw new Error(`the control plane could not be built:\n${output.slice(-2000)}`)
  return cache
}

/** The first of three ports in a row that are free. */
async function freePorts(): Promise<number> {
  for (let base = 20_000 + Math.floor(Math.random() * 20_000); ; base += 3) {
    const free = await Promise.all([0, 1, 2].map(n => isFree(base + n)))
    if (free.every(Boolean)) return base
  }
}

export type Cluster = Readonly<{ kubeconfig: string; folder?: string; kubectl?: string; down(): Promise<void> }>

/** A cluster with our CRDs. `env` goes to the script that starts it: KUBELET=none leaves the node to somebody else.
 * Raises an Error when there is none to be had, with what to do. */
export async function bringUp(extra: NodeJS.ProcessEnv = {}): Promise<Cluster> {
  const given = process.env['KUBECONFIG']
  if (given) return { kubeconfig: given, down: async () => {} }
  const assets = await findAssets()
  const script = existsSync(join(controlplane, 'cluster')) ? join(controlplane, 'cluster') : join(assets, 'cluster')
  const folder = join(await mkdtemp(join(tmpdir(), 'pintle-cluster-')), 'cluster')
  const crds = ['rollouts', 'analysisruns', 'analysistemplates', 'clusteranalysistemplates', 'experiments']
  const env = {
    ...process.env,
    ...extra,
    KUBEBUILDER_ASSETS: assets,
    CRDS: crds.map(name => join(root, 'deploy/crds', `${name}.yaml`)).join(':'),
  }
  const up = await run('bash', [script, 'up', folder, `${await freePorts()}`], env, true)
  if (up.code !== 0) throw new Error(`the cluster did not come up:\n${up.output.slice(-2000)}`)
  say(`a real kube-apiserver is up (${assets})`)
  const down = async () => void (await run('bash', [script, 'down', folder], env, true))
  return { kubeconfig: join(folder, 'kubeconfig'), folder, kubectl: join(assets, 'kubectl'), down }
}
