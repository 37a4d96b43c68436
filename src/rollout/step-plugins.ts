// plugin steps: whom to ask now, what the answers mean, and what of that the status keeps (argo-behaviour 3.9).
import { parseGoDuration } from '../api/duration.ts'
import type { StepPluginStatus } from '../api/rollout-status.ts'
import type { Heard, Millis, StepAnswer, StepOperation, StepPlugin } from '../contract.ts'
import type { Observed } from './observe.ts'
import { join, NOTHING, normal, type Part, part, timestamp, warning } from './part.ts'
import { isAborted, NO_INTENT, type PauseIntent, pausesOf } from './pauses.ts'
import type { Known } from './plan.ts'
import { currentIndex, currentStep, isFullyPromoted, stepsOf } from './progress.ts'
import { currentRevision } from './revision.ts'
import { hashOf } from './sets.ts'

export type Plugins = Readonly<{
  part: Part
  /** The abort that a failed step asks for. */
  intent: PauseIntent
  /** status.canary.stepPluginStatuses after this pass. */
  statuses: readonly StepPluginStatus[]
}>

/** How long to wait before the next question, and the least that a plugin may ask for. */
const BACKOFF: Millis = 30_000
const LEAST: Millis = 10_000

/** What a pass that ends early leaves as it was. */
export const carriedPlugins = ({ status }: Observed): Plugins => ({
  part: NOTHING,
  intent: NO_INTENT,
  statuses: status.canary?.stepPluginStatuses ?? [],
})

/** Asks the plugins that are to be asked now. `intent`: what this pass has decided so far. */
export function planPlugins(seen: Observed, known: Known, intent: PauseIntent, now: Millis): Plugins {
  const carried = carriedPlugins(seen)
  const ask = (from: Plugins, operation: StepOperation, index: number) =>
    attempt(seen, known, from, operation, index, now)
  if (isAborted(seen.status, intent)) {
    const begun = carried.statuses.filter(({ operation }) => operation === 'Run').toReversed()
    return begun.reduce((from, { index }) => ask(from, 'Abort', index), carried)
  }
  const fresh: Plugins = { ...carried, statuses: isRetried(seen) ? [] : carried.statuses }
  if (seen.status.promoteFull || isFullyPromoted(seen.status)) {
    const last = fresh.statuses.findLast(({ operation, phase }) => operation === 'Run' && phase === 'Running')
    return last ? ask(fresh, 'Terminate', last.index) : fresh
  }
  const index = currentIndex(seen)
  const isHeld = seen.spec.paused === true || pausesOf(seen.status).length > 0
  if (index === undefined || !seen.stableRS || isHeld || currentStep(seen)?.plugin == null) return fresh
  return ask(fresh, 'Run', index)
}

const entryOf = (statuses: readonly StepPluginStatus[], index: number, operation: StepOperation) =>
  statuses.find(one => one.index === index && one.operation === operation)

/** Is the plugin step at `index` through? */
export function isPluginDone(statuses: readonly StepPluginStatus[], index: number): boolean {
  const run = entryOf(statuses, index, 'Run')
  if (run?.disabled || run?.phase === 'Successful' || run?.phase === 'Failed') return true
  const isEnded = entryOf(statuses, index, 'Terminate') ?? entryOf(statuses, index, 'Abort')
  return run?.phase === 'Running' && isEnded !== undefined
}

/** At step 0 again with answers of an earlier try: they do not count. */
function isRetried(seen: Observed): boolean {
  const statuses = seen.status.canary?.stepPluginStatuses ?? []
  if (statuses.length === 0 || currentIndex(seen) !== 0) return false
  return currentStep(seen)?.plugin == null || isPluginDone(statuses, 0)
}

/** One operation on the plugin of one step: asked when it is due, read when the answer is there. */
function attempt(
  seen: Observed,
  known: Known,
  from: Plugins,
  operation: StepOperation,
  index: number,
  now: Millis,
): Plugins {
  const step = stepsOf(seen)[index]?.plugin
  const before = entryOf(from.statuses, index, operation)
  if (!step || before?.disabled || isOver(before)) return from
  const dueAt = dueTime(before)
  if (dueAt > now) return { ...from, part: join(from.part, part({ recheckAt: dueAt })) }
  const found = resolve(known, step.name, step.config)
  if ('problem' in found && operation !== 'Run') {
    // Nobody is there to ask: that is told once.
    const old = before ?? { index, name: step.name, operation }
    return settle(from, before, nextEntry(operation, old, { phase: 'Failed', message: found.problem }, now), now)
  }
  if ('problem' in found) {
    const text = `could not create step plugin at index ${index}: ${found.problem}`
    // argo: trouble of this kind is told and tried again; it does not fail the rollout.
    const events = [warning('ReconciliationError', `Reconciliation failed with error: ${text}`)]
    return { ...from, part: join(from.part, part({ events, because: [text], recheckAt: now + BACKOFF })) }
  }
  const key = `${operation} ${index}`
  const heard = seen.heard?.get(key)
  if (!heard) {
    const kept = entryOf(from.statuses, index, 'Run')?.status
    const request = found.plugin.request(operation, found.config, contextOf(seen, index, kept))
    return { ...from, part: join(from.part, part({ asks: [{ key, request }] })) }
  }
  const entry = nextEntry(
    operation,
    before ?? { index, name: step.name, operation },
    read(found, operation, heard),
    now,
  )
  return settle(from, before, entry, now)
}

const isOver = (entry: StepPluginStatus | undefined): boolean =>
  entry?.phase === 'Successful' || entry?.phase === 'Failed'

function dueTime(entry: StepPluginStatus | undefined): Millis {
  const wait = entry?.backoff ? parseGoDuration(entry.backoff).ms : undefined
  return entry?.updatedAt && wait !== undefined ? Date.parse(entry.updatedAt) + wait : 0
}

type Found = Readonly<{ plugin: StepPlugin<unknown>; config: unknown }>

function resolve(known: Known, name: string, config: unknown): Found | Readonly<{ problem: string }> {
  const plugin = known.plugins[name]
  if (!plugin) {
    const names = Object.keys(known.plugins).join(', ')
    return {
      problem: `there is no step plugin "${name}"; this version has: ${names}. Plugin binaries of Argo Rollouts cannot be loaded: put the work behind a URL and use pintle/http`,
    }
  }
  const parsed = plugin.config.safeParse(config ?? {})
  if (parsed.success) return { plugin, config: parsed.data }
  const issue = parsed.error.issues[0]
  return { problem: `${['config', ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'invalid'}` }
}

function contextOf(seen: Observed, index: number, status: unknown) {
  const { name, uid = '' } = seen.rollout.metadata
  return {
    rollout: { namespace: seen.namespace, name, uid, revision: currentRevision(seen) },
    stableHash: seen.stableRS ? hashOf(seen.stableRS) : '',
    canaryHash: seen.newRS ? hashOf(seen.newRS) : '',
    index,
    status,
  }
}

type Read = StepAnswer | Readonly<{ error: string }>

function read({ plugin, config }: Found, operation: StepOperation, heard: Heard): Read {
  if ('error' in heard) return heard
  try {
    return plugin.parse(heard, operation, config)
  } catch (error) {
    return { error: (error as Error).message }
  }
}

type Entry = Pick<StepPluginStatus, 'index' | 'name' | 'operation'> & Partial<StepPluginStatus>

/** The entry after an answer. Only Run may take its time. */
function nextEntry(operation: StepOperation, old: Entry, answer: Read, now: Millis): StepPluginStatus {
  const { message: _m, backoff: _b, finishedAt: _f, ...kept } = old
  const at = timestamp(now)
  const asked = { ...kept, startedAt: old.startedAt ?? at, updatedAt: at, executions: (old.executions ?? 0) + 1 }
  const again = (wait: Millis) => ({ backoff: `${Math.ceil(wait / 1000)}s` })
  if ('error' in answer) return { ...asked, phase: 'Error', message: answer.error, ...again(BACKOFF) }
  const phase = answer.phase ?? (operation === 'Run' ? 'Running' : 'Successful')
  const said = {
    ...(answer.message ? { message: answer.message } : {}),
    ...(answer.status ? { status: answer.status } : {}),
  }
  if (phase === 'Running' && operation === 'Run') {
    const wait = answer.requeueAfter !== undefined && answer.requeueAfter > LEAST ? answer.requeueAfter : BACKOFF
    return { ...asked, ...said, phase, ...again(wait) }
  }
  if (phase !== 'Running') return { ...asked, ...said, phase, finishedAt: at }
  return { ...asked, ...said, phase: 'Failed', message: `${operation} cannot take its time`, finishedAt: at }
}

function settle(from: Plugins, before: StepPluginStatus | undefined, entry: StepPluginStatus, now: Millis): Plugins {
  const statuses = before ? from.statuses.map(one => (one === before ? entry : one)) : [...from.statuses, entry]
  const dueAt = dueTime(entry)
  const told = part({
    events: before?.phase === entry.phase ? [] : phaseEvents(entry),
    because: [`step plugin ${entry.name}: ${entry.operation} is ${entry.phase}`],
    ...(dueAt > now ? { recheckAt: dueAt } : {}),
  })
  const hasFailed = entry.operation === 'Run' && entry.phase === 'Failed'
  const text = `Step Plugin ${entry.index + 1} (${entry.name}) failed: ${entry.message ?? ''}`
  const intent = hasFailed ? { ...from.intent, abort: text } : from.intent
  return { ...from, statuses, intent, part: join(from.part, told) }
}

const ENDS: Readonly<Record<string, string>> = { Abort: 'aborted', Terminate: 'terminated' }

/** A successful Run is told by the completed step. */
function phaseEvents({ name, index, operation, phase = '' }: StepPluginStatus) {
  if (operation === 'Run' && phase === 'Successful') return []
  const end = ENDS[operation]
  const text = `Step plugin ${name} (step ${index + 1}) ${end ? `${end} (${phase})` : `transitioned to ${phase}`}`
  const isBad = phase === 'Failed' || phase === 'Error'
  return [isBad ? warning('StepPluginTransition', text) : normal('StepPluginTransition', text)]
}
