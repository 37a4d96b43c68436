// A scenario: objects and a timetable in YAML, played on a virtual world with the real controller. What follows is
// written down as a journal that reads like prose.
import { parse } from 'yaml'
import type { ObjectEvent } from '../apiserver/controllers/api.ts'
import type { KubeObject, Millis } from '../contract.ts'
import type { Fetch, Log } from '../ports.ts'
import { product } from './product.ts'
import { verbActions } from './verb.ts'
import { virtualStage } from './virtual-stage.ts'
import { createWorld, type World } from './world.ts'

/** What a user does: one of these a line. */
export type Doing = Readonly<{
  /** Names of objects of the scenario, or `all`. */
  apply?: string | readonly string[]
  /** A verb as typed, such as `promote app` or `set image app app=example/app:v2`. */
  verb?: string
  /** A merge patch of an object of the scenario, by `kind/name`. */
  patch?: Readonly<Record<string, unknown>>
  /** From now on metric providers get this answer. */
  metrics?: Readonly<{ status?: number; body: unknown }>
}>

export type Scenario = Readonly<{
  name: string
  objects: readonly KubeObject[]
  /** How long a Pod takes to become ready, seconds; default 2. */
  podsReadyAfter?: number
  /** By virtual time, such as `40s`, `10m` or `3h`. */
  at: Readonly<Record<string, Doing | readonly Doing[]>>
  /** When the journal ends. */
  until: string
}>

const UNITS: Readonly<Record<string, Millis>> = { s: 1000, m: 60_000, h: 3_600_000 }

/** `1h30m` in milliseconds. Throws on anything else. */
export function timeOf(text: string): Millis {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smh])/g)]
  if (parts.length === 0 || parts.map(part => part[0]).join('') !== text) throw new Error(`${text} is not a time`)
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!, 0)
}

/** Reads a scenario file. */
export const readScenario = (text: string): Scenario => parse(text) as Scenario

/** Plays the scenario from its first second to `until`; the journal, line by line. */
export async function playScenario(scenario: Scenario, crds: readonly KubeObject[]): Promise<string> {
  const journal: string[] = []
  let answer: NonNullable<Doing['metrics']> = { body: {} }
  const fetch: Fetch = async () => ({ status: answer.status ?? 200, headers: {}, body: JSON.stringify(answer.body) })

  let tell = (_line: string) => {}
  const log = logOf(line => tell(line))
  const world = await createWorld({
    crds,
    controller: product({ log, fetch }),
    ...(scenario.podsReadyAfter !== undefined && { stages: { start: scenario.podsReadyAfter * 1000 } }),
  })
  const started = world.clock.now()
  tell = line => journal.push(`${clockText(world.clock.now() - started)}  ${line}`)
  const stop = world.server.onEvent(observer(line => tell(line)))
  try {
    for (const [time, doings] of Object.entries(scenario.at)) {
      await world.run((started + timeOf(time) - world.clock.now()) / 1000)
      for (const doing of [doings].flat() as Doing[]) {
        tell(`> ${doingText(doing)}`)
        if (doing.metrics) answer = doing.metrics
        await act(world, scenario, doing)
      }
    }
    await world.run((started + timeOf(scenario.until) - world.clock.now()) / 1000)
  } finally {
    stop()
    await world.stop()
  }
  return `${journal.join('\n')}\n`
}

async function act(world: World, { objects }: Scenario, doing: Doing): Promise<void> {
  const stage = virtualStage(world, 'default')
  if (doing.apply !== undefined) {
    const names = [doing.apply].flat()
    await world.apply(objects.filter(o => names.includes('all') || names.includes(nameOf(o))))
  }
  if (doing.verb !== undefined) for (const action of verbActions(doing.verb, stage)) await stage.perform(action)
  for (const [name, patch] of Object.entries(doing.patch ?? {})) {
    const object = objects.find(o => nameOf(o) === name)
    if (!object) throw new Error(`the scenario has no ${name}`)
    const { apiVersion, kind, metadata } = object
    world.server.patch({ apiVersion, kind, namespace: 'default', name: metadata.name }, 'merge', patch)
  }
  await world.settle()
}

const nameOf = (object: KubeObject): string => `${object.kind}/${object.metadata.name}`

const doingText = ({ apply, verb, patch, metrics }: Doing): string =>
  [
    apply !== undefined && `apply ${[apply].flat().join(', ')}`,
    verb,
    patch && `patch ${JSON.stringify(patch)}`,
    metrics && `metrics answer ${JSON.stringify(metrics.body)}`,
  ]
    .filter(Boolean)
    .join('; ')

/** `00:00:12.5`, so that lines sort and align. */
function clockText(time: Millis): string {
  const two = (number: number) => `${Math.floor(number)}`.padStart(2, '0')
  return `${two(time / 3_600_000)}:${two((time / 60_000) % 60)}:${two((time / 1000) % 60)}.${Math.floor((time % 1000) / 100)}`
}

/** What the controller does, from its own words. */
function logOf(tell: (line: string) => void): Log {
  const line = (fields: Readonly<Record<string, unknown>>, message?: string) => {
    const { verb, kind, name, error } = fields
    if (verb !== undefined) tell(`${verb} ${kind}/${name}: ${message}`)
    else if (error !== undefined) tell(`! ${message}: ${String(error).split('\n')[0]}`)
  }
  return { debug() {}, info: line as Log['info'], warn: line as Log['warn'], error: line as Log['error'] }
}

type Share = Readonly<{ weight: number }>
type Seen = Readonly<{
  phase?: string
  message?: string
  currentStepIndex?: number
  canary?: { weights?: { canary: Share; stable: Share; additional?: readonly Share[] } }
}>

const TOLD_EVENTS: ReadonlySet<string> = new Set(['Rollout', 'AnalysisRun', 'Experiment'])
const TOLD: ReadonlySet<string> = new Set([...TOLD_EVENTS, 'ReplicaSet', 'Deployment', 'Service'])

/** What the world shows, a line a change: phases and weights of rollouts and runs, replicas, selectors, events. */
export function observer(tell: (line: string) => void): (event: ObjectEvent) => void {
  const last = new Map<string, string>()
  const changed = (key: string, text: string) => {
    if (last.get(key) === text) return
    last.set(key, text)
    tell(`  ${key} ${text}`)
  }
  return ({ type, object }) => {
    const key = nameOf(object)
    if (object.kind === 'Event') {
      const { reason, message } = object as { reason?: string; message?: string }
      const about = (object['involvedObject'] as { kind?: string } | undefined)?.kind
      if (type === 'ADDED' && TOLD_EVENTS.has(about ?? '')) tell(`  event ${reason}: ${message}`)
      return
    }
    if (!TOLD.has(object.kind)) return
    if (type === 'DELETED') return tell(`  ${key} is deleted`)
    const status = (object['status'] ?? {}) as Seen & { availableReplicas?: number }
    const spec = (object['spec'] ?? {}) as { replicas?: number; selector?: Record<string, string> }
    if (object.kind === 'Service') {
      const hash = spec.selector?.['rollouts-pod-template-hash']
      return changed(key, hash === undefined ? 'selects every version' : `selects ${hash}`)
    }
    if (object.kind === 'ReplicaSet' || object.kind === 'Deployment')
      return changed(key, `${spec.replicas ?? 1} wanted, ${status.availableReplicas ?? 0} available`)
    const weights = status.canary?.weights
    const step = status.currentStepIndex === undefined ? '' : ` at step ${status.currentStepIndex}`
    const extras = (weights?.additional ?? []).map(({ weight }) => ` + ${weight}`).join('')
    const split = weights ? `, weights ${weights.stable.weight}/${weights.canary.weight}${extras}` : ''
    return changed(key, `${status.phase ?? 'new'}${step}${split}${status.message ? `: ${status.message}` : ''}`)
  }
}
