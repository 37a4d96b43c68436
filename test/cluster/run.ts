// `npm run test:cluster`: brings up a real kube-apiserver, or takes the one of KUBECONFIG, and runs on it what also runs
// in the simulation. The last line is `N passed, N failed`.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const controlplane = resolve(root, '../shared/controlplane')
const say = (text: string): boolean => process.stdout.write(`${text}\n`)

/** Runs a command with its output shown; resolves with its exit code and its last figures. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, quiet = false) {
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

const isFree = (port: number): Promise<boolean> =>
  new Promise(done => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })

type Cluster = Readonly<{ kubeconfig: string; down(): Promise<void> }>

async function cluster(): Promise<Cluster> {
  const given = process.env['KUBECONFIG']
  if (given) return { kubeconfig: given, down: async () => {} }
  const assets = await findAssets()
  const script = existsSync(join(controlplane, 'cluster')) ? join(controlplane, 'cluster') : join(assets, 'cluster')
  const folder = join(await mkdtemp(join(tmpdir(), 'pintle-cluster-')), 'cluster')
  const crds = ['rollouts', 'analysisruns', 'analysistemplates', 'clusteranalysistemplates', 'experiments']
  const env = {
    ...process.env,
    KUBEBUILDER_ASSETS: assets,
    CRDS: crds.map(name => join(root, 'deploy/crds', `${name}.yaml`)).join(':'),
  }
  const up = await run('bash', [script, 'up', folder, `${await freePorts()}`], env, true)
  if (up.code !== 0) throw new Error(`the cluster did not come up:\n${up.output.slice(-2000)}`)
  say(`a real kube-apiserver is up (${assets})`)
  const down = async () => void (await run('bash', [script, 'down', folder], env, true))
  return { kubeconfig: join(folder, 'kubeconfig'), down }
}

/** How many passed and failed, from `N passed, N failed` or from tap's summary. */
function figures(output: string, code: number): readonly [number, number] {
  const own = [...output.matchAll(/^(\d+) passed, (\d+) failed/gm)].at(-1)
  if (own) return [Number(own[1]), Number(own[2])]
  const tap = [...output.matchAll(/^# \{ total: \d+, pass: (\d+)(?:, fail: (\d+))?/gm)].at(-1)
  if (tap) return [Number(tap[1]), Number(tap[2] ?? 0)]
  return code === 0 ? [1, 0] : [0, 1]
}

const suites: readonly (readonly [string, readonly string[]])[] = [
  ['stories', ['test/cluster/stories.cluster.ts']],
  ['crash', ['test/cluster/crash.cluster.ts']],
  ['conformance', ['node_modules/tap/dist/esm/run.mjs', '--reporter=tap', 'test/apiserver/conformance.test.ts']],
]

const { kubeconfig, down } = await cluster()
let [passed, failed] = [0, 0]
try {
  for (const [name, args] of suites) {
    say(`== ${name}`)
    const quiet = name === 'conformance'
    const { code, output } = await run(process.execPath, args, { ...process.env, KUBECONFIG: kubeconfig }, quiet)
    const [good, bad] = figures(output, code)
    if (quiet)
      say(
        bad > 0
          ? output
              .split('\n')
              .filter(line => /^\s*not ok/.test(line))
              .join('\n')
          : `${good} passed`,
      )
    passed += good
    failed += code !== 0 && bad === 0 ? 1 : bad
  }
} finally {
  await down()
}
say(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
