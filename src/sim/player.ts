// Plays a story's script on a stage and records what follows, in the terms of the recorded stories.
import type { Action, KubeObject } from '../contract.ts'
import { historian } from './history.ts'
import { STORY_KINDS, type Stage, storyKind } from './stage.ts'
import type { Awaiting, Entry, Recording, Snapshot, Step, Story } from './story.ts'
import { verbActions } from './verb.ts'

/** How long a script waits for anything, milliseconds. */
const PATIENCE = 120_000
/** People do not act in the very moment in which they read something. */
const REACTION = 200
/** A client needs that long for one object of an apply. */
const PER_OBJECT = 20
const LAST_LOOK = 2000

/** A script that waited in vain; the recording shows how far it came. */
export class StoryStuck extends Error {
  readonly recording: Recording
  constructor(message: string, recording: Recording) {
    super(message)
    this.name = 'StoryStuck'
    this.recording = recording
  }
}

/** Applies the story's objects, does what its script says and takes its snapshots; `end` comes 2 s after the last step.
 * Throws StoryStuck when something that the script waits for does not come. */
export async function play(story: Pick<Story, 'name' | 'objects' | 'script'>, stage: Stage): Promise<Recording> {
  const start = stage.now()
  const timeline: Entry[] = []
  const snapshots: Record<string, Snapshot> = {}
  const t = () => Math.round((stage.now() - start) / 100) / 10
  const record = historian(entry => timeline.push(entry))
  const stop = stage.watch(event => record(event, t()))
  const did = (what: Step) => timeline.push({ t: t(), did: { ...what } })
  const recording: Recording = { timeline, snapshots }
  try {
    await take({ apply: story.objects })
    for (const step of story.script) await take(step)
    await stage.sleep(LAST_LOOK)
    snapshots['end'] = snapshot(stage, t())
  } finally {
    stop()
  }
  return recording

  async function take(step: Step): Promise<void> {
    if (step.sleep !== undefined) return stage.sleep(step.sleep * 1000)
    if (step.snapshot !== undefined) {
      snapshots[step.snapshot] = snapshot(stage, t())
      return
    }
    if (step.wait) {
      const { wait } = step
      const came = await stage.until(() => holds(wait, stage), PATIENCE)
      if (!came) throw new StoryStuck(`${story.name} waited in vain for ${JSON.stringify(wait)}`, recording)
      return stage.sleep(REACTION)
    }
    did(step)
    for (const object of step.apply ?? []) {
      await stage.perform(applyAction(object, stage))
      await stage.sleep(PER_OBJECT)
    }
    for (const action of actionsOf(step, stage)) await stage.perform(action)
  }
}

function actionsOf(step: Step, stage: Stage): readonly Action[] {
  const { namespace } = stage
  const ref = (kind: string) => ({ ...storyKind(kind), namespace, name: step.name ?? 'app' })
  const why = 'the script of the story'
  if (step.verb !== undefined) return verbActions(step.verb, stage)
  if (step.patch !== undefined) return [{ verb: 'patch', ref: ref(step.patch), type: 'merge', patch: step.with, why }]
  if (step.delete !== undefined) return [{ verb: 'delete', ref: ref(step.delete), why }]
  return []
}

function applyAction(object: KubeObject, stage: Stage): Action {
  const { namespace } = stage
  const { name } = object.metadata
  const why = 'the script of the story'
  const placed = { ...object, metadata: { ...object.metadata, namespace } }
  if (!stage.get(object, name)) return { verb: 'create', object: placed, why }
  const { apiVersion, kind, ...patch } = placed
  return { verb: 'patch', ref: { apiVersion, kind, namespace, name }, type: 'merge', patch, why }
}

type Waited = Readonly<{
  phase?: string
  message?: string
  currentStepIndex?: number
  observedGeneration?: string
  stableRS?: string
  currentPodHash?: string
}>

/** Is everything that the script waits for true now? */
export function holds(wait: Awaiting, stage: Stage): boolean {
  const phases = (kind: string) =>
    stage.list(storyKind(kind)).map(o => (o['status'] as { phase?: string } | undefined)?.phase)
  if (wait.experiment !== undefined && !phases('Experiment').includes(wait.experiment)) return false
  if (wait.run !== undefined && !phases('AnalysisRun').includes(wait.run)) return false
  if (wait.phase === undefined && wait.message === undefined && wait.step === undefined && !wait.stable) return true
  return stage.list(storyKind('Rollout')).some(rollout => {
    const status = (rollout['status'] ?? {}) as Waited
    return (
      status.observedGeneration === `${rollout.metadata.generation}` &&
      (wait.phase === undefined || status.phase === wait.phase) &&
      (wait.message === undefined || (status.message ?? '').includes(wait.message)) &&
      (wait.step === undefined || status.currentStepIndex === wait.step) &&
      (!wait.stable || (status.stableRS !== undefined && status.stableRS === status.currentPodHash))
    )
  })
}

/** All that the stories tell of, but Events, as it stands now. */
function snapshot(stage: Stage, t: number): Snapshot {
  const objects = STORY_KINDS.filter(({ kind }) => kind !== 'Event').flatMap(kind => stage.list(kind))
  return { at: new Date(stage.now()).toISOString(), t, objects }
}
