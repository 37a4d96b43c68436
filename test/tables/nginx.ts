// Table of the canary Ingress.
import nginx from '../../adapters/traffic/nginx.ts'
import {
  type Action,
  type Desired,
  type EventNote,
  type KubeObject,
  type Seen,
  TerminalError,
} from '../../src/contract.ts'
import { objectWorld, type World } from '../kit/object-world.ts'
import type { Row, Table } from '../kit/vector-table.ts'

type Canary = Readonly<{
  stableService?: string
  canaryService?: string
  trafficRouting: Readonly<{ nginx: unknown; maxTrafficWeight?: number }>
}>
type Vector = Readonly<{
  rollout: Readonly<{
    metadata: Readonly<{ name: string; namespace: string; uid: string }>
    spec: Readonly<{ strategy: Readonly<{ canary: Canary }> }>
  }>
  ingresses: readonly KubeObject[]
  notYetCached?: readonly string[]
  fail?: Readonly<Record<string, string>>
  ops: readonly Readonly<{ op: string; weight?: number }>[]
}>

type Entry = { error?: string; writes: unknown[]; events?: EventNote[] }

/** The request failed; the message is what the rollout shows. */
class Refused extends Error {}

function desired({ rollout }: Vector, weight: number): Desired {
  const { name, namespace, uid } = rollout.metadata
  const { trafficRouting, stableService = '', canaryService = '' } = rollout.spec.strategy.canary
  const total = trafficRouting.maxTrafficWeight ?? 100
  return {
    owner: {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      name,
      uid,
      controller: true,
      blockOwnerDeletion: true,
    },
    namespace,
    total,
    totalIsExplicit: typeof trafficRouting.maxTrafficWeight === 'number',
    dests: [
      { role: 'canary', weight, service: canaryService },
      { role: 'stable', weight: total - weight, service: stableService },
    ],
    headers: [],
    mirrors: [],
  }
}

const shown = ({ apiVersion: _a, kind: _k, ...rest }: KubeObject) => rest

const withoutNamespace = (object: KubeObject) => {
  const { namespace: _n, ...metadata } = object.metadata
  return { ...shown(object), metadata }
}

/** Performs the actions as the controller would; true: an object was there already, so plan again on a fresh reading. */
function perform(
  actions: readonly Action[],
  world: World,
  fail: Readonly<Record<string, string>>,
  entry: Entry,
): boolean {
  for (const action of actions) {
    const name = action.verb === 'create' ? action.object.metadata.name : action.ref.name
    for (const note of [action.announce ?? []].flat()) entry.events = [...(entry.events ?? []), note]
    const refused = fail[`${action.verb} ${name}`]
    const failed = (doing: string) => new Refused(`error ${doing} canary ingress \`${name}\`: ${refused}`)
    if (action.verb === 'create') {
      entry.writes.push({ verb: 'create', name, object: withoutNamespace(action.object) })
      if (refused !== undefined) throw failed('creating')
      if (world.seen({ ...action.object, ...action.object.metadata })) {
        const gone = fail[`get ${name}`]
        if (gone !== undefined) throw new Refused(`error retrieving canary ingress \`${name}\` from api: ${gone}`)
        return true
      }
      world.apply(action)
      continue
    }
    if (action.verb !== 'patch') throw new Error(`unexpected ${action.verb}`)
    const write: Record<string, unknown> = { verb: 'patch', name, patch: action.patch }
    entry.writes.push(write)
    if (refused !== undefined) throw failed('patching')
    write['object'] = shown(world.apply(action)!)
  }
  return false
}

function setWeight(vector: Vector, world: World, late: Set<string>, weight: number): Entry {
  const entry: Entry = { writes: [] }
  const config = nginx.config.parse(vector.rollout.spec.strategy.canary.trafficRouting.nginx)
  const cached: Seen = ref => (late.has(ref.name) ? undefined : world.seen(ref))
  const fail = vector.fail ?? {}
  try {
    const once = (seen: Seen): boolean => {
      try {
        return perform(nginx.plan(config, desired(vector, weight), seen), world, fail, entry)
      } catch (error) {
        if (error instanceof TerminalError && perform(error.actions, world, fail, entry)) return true
        throw error
      }
    }
    if (once(cached)) {
      late.clear()
      once(world.seen)
    }
  } catch (error) {
    if (!(error instanceof TerminalError || error instanceof Refused)) throw error
    entry.error = error.message
  }
  return entry
}

const hasCrash = ({ want }: Row): boolean => (want as readonly { crash?: string }[]).some(entry => entry.crash)

export const nginxTable: Table = {
  name: 'nginx',
  exceptions: row =>
    hasCrash(row)
      ? { reason: 'a rule without paths or a path to no Service is passed over, it stops nobody' }
      : undefined,
  answer(row) {
    const vector = row as unknown as Vector
    const world = objectWorld(vector.ingresses)
    const late = new Set(vector.notYetCached ?? [])
    // Header and mirror routes are refused by the planner, since nginx's caps have none; here they do nothing.
    return vector.ops.map(({ op, weight = 0 }) =>
      op === 'setWeight' ? setWeight(vector, world, late, weight) : { writes: [] },
    )
  },
}
