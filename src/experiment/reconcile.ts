// One look at an Experiment: read once, decide purely, write, and say what became of it.

import { patchBetween } from '../analysis/status-patch.ts'
import type { Experiment, ExperimentStatus } from '../api/experiment.ts'
import { type EventNote, type KubeObject, refOf } from '../contract.ts'
import type { Clock, Key, Kube, Log, Lookup, Result } from '../ports.ts'
import { metBy } from '../rollout/met.ts'
import { isNew, missingTemplates, withLateTemplates } from './late-templates.ts'
import { type ExperimentSeen, isOwnedBy, observeExperiment, TEMPLATE_NAME } from './observe.ts'
import { concludeExperiment, type Note, planExperiment, type Refused } from './plan.ts'
import { keysOf, type Task } from './task.ts'

/** All that a look may touch. */
export type Ports = Readonly<{
  kube: Kube
  cache: Lookup
  clock: Clock
  log: Log
  /** Records a Kubernetes Event about an object; never waits, never throws. */
  record(about: KubeObject, event: EventNote): void
}>

/** One pass over the experiment of this key. Throws what the world does wrong; what it refuses for good becomes the
 * status of the template or the analysis. */
export async function reconcileExperiment(key: Key, ports: Ports): Promise<Result> {
  const read = observeExperiment(key, ports.cache)
  if (!read) return {}
  // One moment for both: what is called missing has been asked for.
  const now = ports.clock.now()
  const missing = isNew(read, now) ? [] : missingTemplates(read)
  const seen = missing.length === 0 ? read : await withLateTemplates(read, missing, ports.kube)
  const plan = planExperiment(seen, now)
  if (plan.is === 'refused') {
    await writeStatus(seen.experiment, plan.status, plan.why, ports)
    return {}
  }
  const done: Done[] = []
  let notes: readonly Note[] = []
  try {
    const refused = await performAll(seen, plan.tasks, done, ports)
    const { status, notes: later, recheckAt } = concludeExperiment(seen, plan, refused, ports.clock.now())
    await writeStatus(seen.experiment, status, `the experiment is ${status.phase}`, ports)
    notes = later
    return recheckAt === undefined ? {} : { recheckAt }
  } finally {
    // What was done is told also when the pass fails later; what came of it only once it is written down.
    tellAll(seen, [...done, ...notes], ports)
  }
}

/** A write that was done, as an Event. */
type Done = Readonly<{ of: string; event: EventNote }>

/** Events in the order of templates, analyses, and last the experiment; of each first what was done. */
function tellAll(seen: ExperimentSeen, notes: readonly (Done | Note)[], { record }: Ports): void {
  for (const of of keysOf(seen.experiment)) {
    for (const note of notes.filter(one => one.of === of)) {
      record(seen.experiment, note.event)
      if (seen.rollout && 'forRollout' in note && note.forRollout) record(seen.rollout, note.forRollout)
    }
  }
}

async function performAll(seen: ExperimentSeen, tasks: readonly Task[], done: Done[], ports: Ports): Promise<Refused> {
  const refused = new Map<string, string>()
  for (const task of tasks) {
    const { of, action } = task
    // What follows on a refused write makes no sense.
    if (refused.has(of)) continue
    const refusal = await perform(seen.experiment, task, ports)
    if (refusal !== undefined) {
      refused.set(of, `${task.failure}: ${refusal}`)
      continue
    }
    const { kind, name } = action.verb === 'create' ? refOf(action.object) : action.ref
    const where = { ns: seen.namespace, experiment: seen.experiment.metadata.name }
    ports.log.info({ verb: action.verb, kind, name, ...where }, action.why)
    if (action.event) done.push({ of, event: action.event })
  }
  return refused
}

/** Answers of the API server that will not be others next time. */
const FINAL = new Set(['Invalid', 'BadRequest', 'Forbidden'])

/** Performs one write; the answer is why it was refused for good. */
async function perform(experiment: Experiment, { action }: Task, { kube }: Ports): Promise<string | undefined> {
  try {
    await kube.perform(action)
    return undefined
  } catch (error) {
    const { reason, message } = error as Readonly<{ reason?: string; message: string }>
    // Gone already: the next pass sees it.
    if (action.verb !== 'create' && reason === 'NotFound') return undefined
    const live = action.verb === 'create' ? await metBy(error, action.object, kube) : undefined
    if (action.verb === 'create' && live) {
      // Ours: the next pass sees it.
      const isSame = live.metadata.annotations?.[TEMPLATE_NAME] === action.object.metadata.annotations?.[TEMPLATE_NAME]
      if (isSame && isOwnedBy(experiment, live)) return undefined
      return `${live.kind.toLowerCase()} ${live.metadata.name} already exists and is not ours`
    }
    const isLeaving = /because it is being terminated/.test(message)
    if (reason !== undefined && FINAL.has(reason) && !isLeaving) return message
    throw error
  }
}

async function writeStatus(
  experiment: Experiment,
  next: ExperimentStatus,
  why: string,
  { kube }: Ports,
): Promise<void> {
  const patch = patchBetween(experiment.status, next)
  if (!patch) return
  // The kind has no status subresource. A retry empties the status: it must not be filled again from an older reading.
  const resourceVersion = experiment.metadata.resourceVersion ?? ''
  await kube.perform({
    verb: 'patch',
    ref: refOf(experiment),
    type: 'merge',
    patch: { status: patch },
    resourceVersion,
    why,
  })
}
