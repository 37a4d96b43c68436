// `npm run bench:controller`: many rollouts on a real kube-apiserver, created, all updated at once, then left alone. Prints
// how long it takes, what the controller spends, and what it writes, beside plain Deployments on the same cluster.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { KubeObject } from '../../src/contract.ts'
import { createKube } from '../../src/kube/kube.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import type { Kube } from '../../src/ports.ts'
import { systemClock } from '../../src/sim/clock.ts'
import { bringUp, root } from '../cluster/bring-up.ts'
import { type Audit, auditIn, type Counts, since } from './audit.ts'
import {
  DEPLOYMENT,
  deploymentApp,
  isThere,
  NAMESPACE,
  nameOf,
  ROLLOUT,
  rolloutApp,
  shipped,
} from './controller-apps.ts'
import { whole } from './numbers.ts'
import { type Measured, startMeasured } from './process.ts'

const HELP = `Releases many rollouts on a real kube-apiserver and measures the controller.

Usage: npm run bench:controller -- [flags]

  --rollouts N      how many, 2 replicas each (default 100)
  --nginx           with NGINX traffic routing: two Services and an Ingress each
  --idle S          seconds to watch it doing nothing (default 60)
  --no-floor        leave out the Deployments
  --incumbent PATH  measure Argo's rollouts-controller at this path instead
  -o json           print figures as JSON

Needs Linux, and KUBEBUILDER_ASSETS or what docs/how-to/test-on-a-cluster.md says.

Examples: npm run bench:controller -- --rollouts 500
          npm run bench:controller -- --rollouts 100 --nginx --idle 20 -o json

Exit code: 0 done, 1 something did not converge, 2 wrong usage.`

type Flags = Readonly<{
  count: number
  isRouted: boolean
  idle: number
  floor: boolean
  incumbent?: string
  json: boolean
}>

function readFlags(): Flags {
  const { values } = parseArgs({
    options: {
      rollouts: { type: 'string', default: '100' },
      nginx: { type: 'boolean', default: false },
      idle: { type: 'string', default: '60' },
      'no-floor': { type: 'boolean', default: false },
      incumbent: { type: 'string' },
      output: { type: 'string', short: 'o', default: 'text' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(`${HELP}\n`)
    process.exit(0)
  }
  if (!['text', 'json'].includes(values.output)) throw new Error('-o takes text or json')
  return {
    count: whole('--rollouts', values.rollouts, 1),
    isRouted: values.nginx,
    idle: whole('--idle', values.idle, 0),
    floor: !values['no-floor'],
    json: values.output === 'json',
    ...(values.incumbent === undefined ? {} : { incumbent: values.incumbent }),
  }
}

const tell = (text: string): boolean => process.stderr.write(`${text}\n`)

/** Runs `work` for 0 … count - 1, twenty at a time. */
async function forAll(count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: Math.min(20, count) }, async () => {
      while (next < count) await work(next++)
    }),
  )
}

/** Seconds from the first write until all objects of the kind are there. Raises an Error when none of them changes any more
 * (a slow controller may bring thousands to their end at once, late). */
async function converge(kube: Kube, kind: typeof ROLLOUT | typeof DEPLOYMENT, count: number, act: () => Promise<void>) {
  const began = performance.now()
  await act()
  let [newest, moved] = [-1, performance.now()]
  for (;;) {
    const { items } = await kube.list(kind, { namespace: NAMESPACE })
    const there = items.filter(isThere).length
    if (there === count && items.length === count) return (performance.now() - began) / 1000
    const version = Math.max(0, ...items.map(item => Number(item.metadata.resourceVersion)))
    if (version !== newest) [newest, moved] = [version, performance.now()]
    if (performance.now() - moved > 300_000)
      throw new Error(`${there} of ${count} ${kind.kind}s came to their end, then no more`)
    tell(`  ${there} of ${count}, ${Math.round((performance.now() - began) / 1000)} s`)
    await sleep(Math.min(5000, 500 + count * 5))
  }
}

const createAll = (kube: Kube, count: number, app: (n: number) => readonly KubeObject[]) => () =>
  forAll(count, async n => {
    for (const object of app(n)) await kube.perform({ verb: 'create', object, why: 'the benchmark begins' })
  })

const shipAll = (kube: Kube, kind: typeof ROLLOUT | typeof DEPLOYMENT, count: number) => () =>
  forAll(count, n => {
    const ref = { ...kind, namespace: NAMESPACE, name: nameOf(n) }
    return kube.perform({ verb: 'patch', ref, type: 'merge', patch: shipped('v2'), why: 'the benchmark ships' })
  })

function startController({ incumbent }: Flags, kubeconfig: string): Measured & { agent: string } {
  if (incumbent !== undefined) {
    const flags = ['--kubeconfig', kubeconfig, '--leader-elect=false', '--loglevel', 'error', '--kloglevel', '0']
    return { ...startMeasured(incumbent, flags), agent: 'rollouts-controller' }
  }
  const flags = ['--no-leader-elect', '--metricsPort', '0', '--healthzPort', '0', '--loglevel', 'warn']
  const profile = process.env['CPU_PROFILE'] ? ['--cpu-prof', `--cpu-prof-dir=${process.env['CPU_PROFILE']}`] : []
  // It gives itself the heap that it has in a cluster (src/lean.ts).
  const args = [...profile, `${root}/dist/src/main.js`, 'controller', '--kubeconfig', kubeconfig, ...flags]
  return { ...startMeasured(process.execPath, args), agent: 'pintle-controller' }
}

type Figures = Record<string, number | Record<string, number>>

/** Creation, update and rest of all rollouts under the controller. */
async function measureRollouts(flags: Flags, kube: Kube, kubeconfig: string, audit: Audit): Promise<Figures> {
  const { count, isRouted, idle } = flags
  const controller = startController(flags, kubeconfig)
  try {
    await sleep(5000)
    tell(`creating ${count} rollouts`)
    const create = await converge(
      kube,
      ROLLOUT,
      count,
      createAll(kube, count, n => rolloutApp(n, isRouted)),
    )
    const [cpuCreate, afterCreate] = [controller.cpu(), audit.writes(controller.agent)]
    tell(`updating ${count} rollouts`)
    const update = await converge(kube, ROLLOUT, count, shipAll(kube, ROLLOUT, count))
    // Old pods and late events are part of the release.
    await sleep(35_000)
    const [cpuUpdate, after] = [controller.cpu(), audit.writes(controller.agent)]
    tell(`idle for ${idle} s`)
    await sleep(idle * 1000)
    const rest = since(after, audit.writes(controller.agent))
    const each = (counts: Counts) =>
      Object.fromEntries([...counts].toSorted().map(([what, n]) => [what, round(n / count)]))
    return {
      'seconds to create': round(create),
      'seconds to update': round(update),
      'CPU seconds of the creation': round(cpuCreate),
      'CPU seconds of the update': round(cpuUpdate - cpuCreate),
      'CPU seconds idle': round(controller.cpu() - cpuUpdate),
      'peak RSS in MB': Math.round(controller.peak()),
      'writes per rollout': round(total(after) / count),
      'writes per rollout, by kind': each(after),
      'of these for the creation': each(afterCreate),
      'writes while idle': total(rest),
    }
  } finally {
    await controller.stop()
  }
}

/** The same number of Deployments, which the cluster's own controller releases. */
async function measureFloor({ count }: Flags, kube: Kube): Promise<Figures> {
  tell(`creating ${count} Deployments`)
  const create = await converge(kube, DEPLOYMENT, count, createAll(kube, count, deploymentApp))
  tell(`updating ${count} Deployments`)
  const update = await converge(kube, DEPLOYMENT, count, shipAll(kube, DEPLOYMENT, count))
  return { 'seconds to create': round(create), 'seconds to update': round(update) }
}

const round = (value: number): number => Math.round(value * 100) / 100
const total = (counts: Counts): number => [...counts.values()].reduce((sum, n) => sum + n, 0)

function lines(title: string, figures: Figures): readonly string[] {
  const rows = Object.entries(figures).flatMap(([what, value]) =>
    typeof value === 'number'
      ? [`  ${what.padEnd(30)} ${value}`]
      : [`  ${what}`, ...Object.entries(value).map(([key, n]) => `    ${key.padEnd(28)} ${n}`)],
  )
  return [title, ...rows]
}

async function main(flags: Flags): Promise<void> {
  const audit = auditIn(mkdtempSync(`${tmpdir()}/pintle-bench-`))
  const cluster = await bringUp({ APISERVER_FLAGS: audit.flags })
  try {
    const access = await loadKubeconfig({ path: cluster.kubeconfig })
    const wire = undiciTransport(access, { userAgent: 'pintle-bench' })
    const kube = createKube(wire, { clock: systemClock() })
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }
    await kube.perform({ verb: 'create', object, why: 'the benchmark begins' })
    const rollouts = await measureRollouts(flags, kube, cluster.kubeconfig, audit)
    const floor = flags.floor ? await measureFloor(flags, kube) : undefined
    await wire.close()
    const what = `${flags.count} rollouts${flags.isRouted ? ' behind nginx' : ''}`
    const who = flags.incumbent === undefined ? 'Pintle' : 'Argo Rollouts'
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({ who, what, rollouts, floor }, undefined, 2)}\n`
        : `${[...lines(`${who}: ${what}`, rollouts), ...(floor ? lines(`${flags.count} Deployments`, floor) : [])].join('\n')}\n`,
    )
  } finally {
    await cluster.down()
  }
}

let flags: Flags
try {
  flags = readFlags()
} catch (error) {
  process.stderr.write(`bench:controller: ${(error as Error).message}\n\n${HELP}\n`)
  process.exit(2)
}
await main(flags)
