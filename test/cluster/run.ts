// `npm run test:cluster`: runs on a real kube-apiserver what also runs in the simulation. Names of suites may follow
// (`npm run test:cluster -- stories seed`). The last line is `N passed, N failed`.
import { bringUp, type Cluster, run, say } from './bring-up.ts'

/** How many passed and failed, from `N passed, N failed` or from tap's summary. */
function figures(output: string, code: number): readonly [number, number] {
  const own = [...output.matchAll(/^(\d+) passed, (\d+) failed/gm)].at(-1)
  if (own) return [Number(own[1]), Number(own[2])]
  const tap = [...output.matchAll(/^# \{ total: \d+, pass: (\d+)(?:, fail: (\d+))?/gm)].at(-1)
  if (tap) return [Number(tap[1]), Number(tap[2] ?? 0)]
  return code === 0 ? [1, 0] : [0, 1]
}

type Suite = Readonly<{
  name: string
  args: readonly string[]
  env?: NodeJS.ProcessEnv
  /** Only failures are shown. */
  isQuiet?: boolean
  /** The simulated node is the cluster's only kubelet; on a cluster of somebody else's it is not run. */
  hasOwnNode?: boolean
}>

const tap = (file: string): readonly string[] => ['node_modules/tap/dist/esm/run.mjs', '--reporter=tap', file]

const SUITES: readonly Suite[] = [
  { name: 'stories', args: ['test/cluster/stories.cluster.ts'] },
  { name: 'crash', args: ['test/cluster/crash.cluster.ts'] },
  { name: 'conformance', args: tap('test/apiserver/conformance.test.ts'), isQuiet: true },
  { name: 'differential', args: ['test/cluster/differential.cluster.ts'] },
  {
    name: 'seed',
    args: tap('test/scenarios/seed.test.ts'),
    env: { SEED_CLUSTER: '1' },
    isQuiet: true,
    hasOwnNode: true,
  },
]

type Total = { passed: number; failed: number; late: string[] }

async function runSuite(suite: Suite, cluster: Cluster, total: Total): Promise<void> {
  say(`== ${suite.name}`)
  const env = {
    ...process.env,
    ...(cluster.kubectl ? { KUBECTL: process.env['KUBECTL'] ?? cluster.kubectl } : {}),
    ...suite.env,
    KUBECONFIG: cluster.kubeconfig,
  }
  const { code, output } = await run(process.execPath, suite.args, env, suite.isQuiet)
  const [good, bad] = figures(output, code)
  if (suite.isQuiet) say([...output.split('\n').filter(line => /^\s*not ok/.test(line)), `${good} passed`].join('\n'))
  total.late.push(...[...output.matchAll(/^ok at the second try (\S+)/gm)].map(match => match[1]!))
  total.passed += good
  total.failed += code !== 0 && bad === 0 ? 1 : bad
}

/** Runs suites one after the other on a cluster that lives as long as they do. */
async function runAll(suites: readonly Suite[], total: Total, env: NodeJS.ProcessEnv = {}): Promise<void> {
  if (suites.length === 0) return
  const cluster = await bringUp(env)
  try {
    for (const suite of suites) await runSuite(suite, cluster, total)
  } finally {
    await cluster.down()
  }
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !SUITES.some(suite => suite.name === name))
if (unknown.length > 0) {
  say(`there is no suite ${unknown.join(', ')}; there are ${SUITES.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const chosen = SUITES.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
const total: Total = { passed: 0, failed: 0, late: [] }
await runAll(
  chosen.filter(suite => !suite.hasOwnNode),
  total,
)
const lonely = chosen.filter(suite => suite.hasOwnNode)
if (!process.env['KUBECONFIG'] || process.env['SIM_NODE']) await runAll(lonely, total, { KUBELET: 'none' })
else for (const { name } of lonely) say(`== ${name}\nnot run: set SIM_NODE=1 if no kubelet runs on this cluster`)
if (total.late.length > 0) say(`agreed only at the second try: ${total.late.join(', ')}`)
say(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 ? 1 : 0
