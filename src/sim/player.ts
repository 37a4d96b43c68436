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
/** How long the plugin's process takes before it writes. */
const PROCESS = 100
/** A hair less than the two seconds that a Pod takes to start, as in the recordings. */
const LAST_LOOK = 1950

/** A script that waited in vain; the recording shows how far it came. */
export class StoryStuck extends Error {
  readonly recording: Recording
  constructor(message: string, recording: Recording) {
    super(message)
    this.name = 'StoryStuck'
    this.recording = recording
    // Too long to be printed with every failed test.
    Object.defineProperty(this, 'recording', { enumerable: false })
  }
}

type Script = Pick<Story, 'name' | 'objects' | 'script'> & Partial<Recording>

/** Applies the story's objects, does what its script says and takes its snapshots; `end` comes 2 s after the last step.
 * With a recording at hand the user does nothing sooner than then. Throws StoryStuck when something that the script
 * waits for does not come. */
export async function play(story: Script, stage: Stage): Promise<Recording> {
  const start = stage.now()
  const timeline: Entry[] = []
  const snapshots: Record<string, Snapshot> = {}
  const recording: Recording = { timeline, snapshots }
  const t = () => Math.round((stage.now() - start) / 100) / 10
  const record = historian(entry => timeline.push(entry))
  const stop = stage.watch(event => record(event, t()))
  const doings = (story.timeline ?? []).filter(entry => entry.did).map(entry => entry.t)
  const first = doings[0] ?? 0
  let done = 0
  let wasMet = false
  try {
    await take({ apply: story.objects })
    for (const [i, step] of story.script.entries()) {
      const next = story.script[i + 1]?.wait
      // The recorder asked before a change had reached it: what held before it still does, and nothing is waited for.
      const holdsAlready = isChange(step) && next !== undefined && holds(next, stage)
      if (!step.wait || !wasMet) await take(step)
      wasMet = holdsAlready
    }
    await stage.sleep(LAST_LOOK)
    snapshots['end'] = snapshot(stage, t())
  } finally {
    stop()
  }
  return recording

  /** Waits until the time, in seconds of the recording, has come here too. */
  async function notBefore(time = first): Promise<void> {
    const left = start + (time - first) * 1000 - stage.now()
    if (left > 0) await stage.sleep(left)
  }

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
    await notBefore(doings[done++])
    timeline.push({ t: t(), did: { ...step } })
    if (step.verb !== undefined) await stage.sleep(PROCESS)
    // All at once: a controller that looks in between finds references to what is not there yet.
    await Promise.all((step.apply ?? []).map(object => stage.perform(applyAction(object, stage))))
    for (const action of actionsOf(step, stage)) await stage.perform(action)
  }
}

const isChange = (step: Step): boolean =>
  step.verb !== undefined || step.patch !== undefined || step.apply !== undefined || step.delete !== undefined

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
