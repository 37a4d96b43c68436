// The states that matter in a story: for each kind of object the facets whose sequences two recordings must share.
import type { Fields } from './history.ts'
import type { Entry } from './story.ts'

/** A value that a facet had from `t` to `until`, both in seconds after the start. */
export type Spell = Readonly<{ value: string; t: number; until: number }>

/** Facet name -> the fields that make it up: a path, or all paths below one that ends in a dot. */
type Facets = Readonly<Record<string, readonly string[]>>

const ROLLOUT: Facets = {
  phase: ['status.phase', 'status.message'],
  step: ['status.currentStepIndex'],
  weights: ['status.canary.weights.'],
  'pause conditions': ['status.pauseConditions.'],
  'controller pause': ['status.controllerPause'],
  abort: ['status.abort', 'status.abortedAt'],
  'promote full': ['status.promoteFull'],
  'stable hash': ['status.stableRS'],
  'current hash': ['status.currentPodHash'],
  'active selector': ['status.blueGreen.activeSelector'],
  'preview selector': ['status.blueGreen.previewSelector'],
  'preview check point': ['status.blueGreen.scaleUpPreviewCheckPoint'],
  'ping or pong': ['status.canary.stablePingPong'],
  revision: ['metadata.annotations.rollout.argoproj.io/revision'],
  ...Object.fromEntries(
    ['Progressing', 'Available', 'Healthy', 'Completed', 'Paused', 'InvalidSpec', 'ReplicaFailure'].map(type => [
      `condition ${type}`,
      [`status.conditions.${type}.status`, `status.conditions.${type}.reason`],
    ]),
  ),
}

const ROUTE: Facets = { annotations: ['metadata.annotations.'], spec: ['spec.'] }
const RUN: Facets = { phase: ['status.phase', 'status.message'], terminate: ['spec.terminate'] }

const FACETS: Readonly<Record<string, Facets>> = {
  Rollout: ROLLOUT,
  ReplicaSet: {
    replicas: ['spec.replicas'],
    'revision annotation': ['metadata.annotations.rollout.argoproj.io/revision'],
    'revision history': ['metadata.annotations.rollout.argoproj.io/revision-history'],
    'desired replicas': ['metadata.annotations.rollout.argoproj.io/desired-replicas'],
    'scale-down deadline': ['metadata.annotations.scale-down-deadline'],
    'pod metadata': ['metadata.annotations.rollout.argoproj.io/ephemeral-metadata', 'spec.template.metadata.'],
  },
  Service: { selector: ['spec.selector.'], annotations: ['metadata.annotations.'] },
  Ingress: ROUTE,
  VirtualService: ROUTE,
  DestinationRule: ROUTE,
  AnalysisRun: RUN,
  Experiment: RUN,
  Deployment: { replicas: ['spec.replicas'] },
}

const PRESENCE = 'presence'
/** The value of a facet of which no field is set. */
export const UNSET = '-'

/** The sequences of every facet of every object, by `Kind/name` and facet; `end` closes the last spell of each. */
export function spellsOf(timeline: readonly Entry[], end: number): ReadonlyMap<string, ReadonlyMap<string, Spell[]>> {
  const objects = new Map<string, { fields: Record<string, unknown>; facets: Map<string, Spell[]> }>()
  for (const { on, t, set, deleted } of timeline) {
    if (on === undefined) continue
    const known = objects.get(on) ?? { fields: {}, facets: new Map<string, Spell[]>() }
    objects.set(on, known)
    if (deleted) known.fields = {}
    for (const [path, value] of Object.entries(set ?? {})) {
      if (value === null) delete known.fields[path]
      else known.fields[path] = value
    }
    push(known.facets, PRESENCE, deleted ? 'gone' : 'there', t, end)
    if (deleted) continue
    for (const [facet, paths] of Object.entries(FACETS[on.split('/')[0] ?? ''] ?? {}))
      push(known.facets, facet, shownFields(known.fields, paths), t, end)
  }
  return new Map([...objects].map(([on, { facets }]) => [on, facets]))
}

/** The fields that a facet shows, as one text; `-` when none is set. */
const shownFields = (fields: Fields, paths: readonly string[]): string => {
  const shown = Object.keys(fields)
    .filter(path => paths.some(wanted => path === wanted || (wanted.endsWith('.') && path.startsWith(wanted))))
    .sort()
    .map(path => `${path.slice(path.lastIndexOf('.') + 1)}=${textOf(fields[path])}`)
  return shown.length === 0 ? UNSET : shown.join(' ')
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function push(facets: Map<string, Spell[]>, facet: string, value: string, t: number, end: number): void {
  const spells = facets.get(facet) ?? []
  facets.set(facet, spells)
  const last = spells.at(-1)
  if (last?.value === value) return
  // A facet that has never been set yet has no first spell of nothing.
  if (last === undefined && value === UNSET) return
  if (last) spells[spells.length - 1] = { ...last, until: t }
  spells.push({ value, t, until: end })
}
