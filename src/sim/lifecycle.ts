// The life of a simulated Pod: what its status is at a moment, as a function of its spec, its age and its last status.
import type { KubeObject, Millis } from '../contract.ts'
import { hookTime, isMissing, workOf } from './pod-command.ts'

type State = Readonly<Record<'waiting' | 'running' | 'terminated', Readonly<Record<string, unknown>> | undefined>>
export type ContainerStatus = Readonly<{
  name: string
  image: string
  imageID: string
  ready: boolean
  started?: boolean
  restartCount: number
  state: Partial<State>
  lastState?: Partial<State>
}>
export type PodCondition = Readonly<{
  type: string
  status: 'True' | 'False' | 'Unknown'
  lastProbeTime?: null
  lastTransitionTime?: string
  reason?: string
}>
export type PodStatus = Readonly<{
  phase?: string
  podIP?: string
  podIPs?: readonly Readonly<{ ip: string }>[]
  hostIP?: string
  startTime?: string
  conditions?: readonly PodCondition[]
  containerStatuses?: readonly ContainerStatus[]
  [field: string]: unknown
}>

type Hook = Readonly<{ sleep?: Readonly<{ seconds?: number }>; exec?: Readonly<{ command?: readonly string[] }> }>
export type SimContainer = Readonly<{
  name: string
  image?: string
  command?: readonly string[]
  args?: readonly string[]
  env?: readonly Readonly<{ name: string; value?: string }>[]
  ports?: readonly Readonly<{ name?: string; containerPort: number; protocol?: string }>[]
  lifecycle?: Readonly<{ postStart?: Hook; preStop?: Hook }>
  readinessProbe?: Readonly<{
    initialDelaySeconds?: number
    periodSeconds?: number
    timeoutSeconds?: number
    successThreshold?: number
    failureThreshold?: number
    httpGet?: Readonly<{ path?: string; port?: number | string; scheme?: string }>
    tcpSocket?: Readonly<{ port?: number | string }>
  }>
}>
export type SimPod = KubeObject &
  Readonly<{
    spec: Readonly<{
      nodeName?: string
      restartPolicy?: string
      terminationGracePeriodSeconds?: number
      containers: readonly SimContainer[]
      readinessGates?: readonly Readonly<{ conditionType: string }>[]
    }>
    status?: PodStatus
  }>

/** `again`: when the status may change by itself; undefined: it will not. */
export type Life = Readonly<{ status: PodStatus; again?: Millis }>

const stamp = (millis: Millis): string => `${new Date(millis).toISOString().slice(0, 19)}Z`
const seconds = (n: number): Millis => n * 1000

/** A Job's Pods start after a second, whatever the others do. */
const isOfJob = (pod: SimPod): boolean =>
  pod.metadata.ownerReferences?.some(owner => owner.controller && owner.kind === 'Job') ?? false

/** What the moment makes of one container. */
type Verdict = Readonly<{
  is: 'waiting' | 'running' | 'failed' | 'succeeded'
  state: Partial<State>
  ready?: boolean
  restarts?: number
}>

/** What a node knows beside the Pod itself. */
export type Circumstances = Readonly<{
  /** A Pod starts so long after it was bound, milliseconds. */
  start: Millis
  /** The Pod's address once it has started; undefined: it has none yet. */
  ip?: string | undefined
  /** False while what should run does not; undefined: it runs when its time has come. */
  isUp?: boolean
  /** What the probes found; undefined: ready one second after the delay of the probe. */
  isReady?: boolean
}>

/** The status of a pod that was bound at `since` as it should be at `now`. */
export function lifecycle(pod: SimPod, since: Millis, now: Millis, node: Circumstances): Life {
  const delay = isOfJob(pod) ? seconds(1) : node.start
  const age = now - since
  let again: Millis | undefined
  const soon = (at: Millis) => {
    const time = since + at
    if (at > age && (again === undefined || time < again)) again = time
  }
  const old = pod.status ?? {}
  const never = pod.spec.restartPolicy === 'Never'
  const verdicts = pod.spec.containers.map(container => {
    const before = old.containerStatuses?.find(s => s.name === container.name)
    return judge(container, before, { age, now, delay, never, soon, node })
  })
  const finished = verdicts.filter(v => v.is === 'failed' || v.is === 'succeeded')
  const isOver = finished.length === verdicts.length && (pod.spec.restartPolicy ?? 'Always') !== 'Always'
  const failed = verdicts.some(v => v.is === 'failed')
  const pending = verdicts.some(v => v.is === 'waiting' && !('restarts' in v))
  const phase = isOver ? (failed ? 'Failed' : 'Succeeded') : pending ? 'Pending' : 'Running'
  const ready = verdicts.every(v => v.ready === true)
  const open = (pod.spec.readinessGates ?? []).some(
    gate => old.conditions?.find(c => c.type === gate.conditionType)?.status !== 'True',
  )
  const set = (list: readonly PodCondition[], type: string, met: boolean, reason?: string) =>
    withCondition(list, type, met, reason, now)
  let conditions = set(old.conditions ?? [], 'PodScheduled', true)
  conditions = set(conditions, 'Initialized', true)
  conditions = set(conditions, 'ContainersReady', ready, ready ? undefined : 'ContainersNotReady')
  const why = !ready ? 'ContainersNotReady' : open ? 'ReadinessGatesNotReady' : undefined
  conditions = set(conditions, 'Ready', ready && !open, why)
  const address = old.podIP ?? (age >= delay ? node.ip : undefined)
  const status: PodStatus = {
    ...old,
    phase,
    conditions,
    hostIP: '10.255.0.1',
    startTime: old.startTime ?? stamp(since),
    ...(address !== undefined && { podIP: address, podIPs: [{ ip: address }] }),
    containerStatuses: pod.spec.containers.map((container, i) => {
      const before = old.containerStatuses?.find(s => s.name === container.name)
      const verdict = verdicts[i]!
      return {
        name: container.name,
        image: container.image ?? '',
        imageID: container.image ?? '',
        restartCount: verdict.restarts ?? before?.restartCount ?? 0,
        started: verdict.is === 'running',
        ready: verdict.ready === true,
        state: verdict.state,
        lastState: before?.lastState ?? {},
      }
    }),
  }
  return { status, ...(again !== undefined && !isOver && { again }) }
}

type Moment = Readonly<{
  age: Millis
  now: Millis
  delay: Millis
  never: boolean
  soon: (at: Millis) => void
  node: Circumstances
}>

const waiting = (reason: string): Verdict => ({ is: 'waiting', state: { waiting: { reason } } })

function judge(container: SimContainer, before: ContainerStatus | undefined, at: Moment): Verdict {
  const { age, now, delay, soon } = at
  const hook = hookTime(container.lifecycle?.postStart)
  const probe = container.readinessProbe ? seconds((container.readinessProbe.initialDelaySeconds ?? 0) + 1) : 0
  const work = workOf(container)
  const ended = (is: 'failed' | 'succeeded', reason: string, exitCode: number): Verdict => ({
    is,
    state: {
      terminated: before?.state.terminated ?? { exitCode, reason, startedAt: null, finishedAt: stamp(now) },
    },
  })
  if (isMissing(container.image ?? '')) {
    soon(seconds(5))
    soon(seconds(7))
    return waiting(age >= seconds(7) ? 'ImagePullBackOff' : age >= seconds(5) ? 'ErrImagePull' : 'ContainerCreating')
  }
  if (age < delay) {
    soon(delay)
    return waiting('ContainerCreating')
  }
  if (!work.runs && at.never) return ended('failed', 'StartError', 128)
  if (!work.runs) {
    // Restarted with a growing back-off, as often as its age allows.
    const restarts = Math.floor(Math.log2(1 + (age - delay) / seconds(5)))
    soon(delay + seconds(5) * (2 ** (restarts + 1) - 1))
    return { ...waiting(restarts === 0 ? 'RunContainerError' : 'CrashLoopBackOff'), restarts }
  }
  if (age < delay + hook) {
    soon(delay + hook)
    return waiting('ContainerCreating')
  }
  if (at.node.isUp === false) return waiting('ContainerCreating')
  const end = delay + hook + work.duration
  if (work.ends && age >= end)
    return work.code === 0 ? ended('succeeded', 'Completed', 0) : ended('failed', 'Error', work.code)
  if (work.ends) soon(end)
  if (at.node.isReady === undefined) soon(delay + hook + probe)
  const running = before?.state.running ?? { startedAt: stamp(now) }
  return { is: 'running', state: { running }, ready: at.node.isReady ?? age >= delay + hook + probe }
}

function withCondition(
  list: readonly PodCondition[],
  type: string,
  met: boolean,
  reason: string | undefined,
  now: Millis,
): readonly PodCondition[] {
  const status = met ? 'True' : 'False'
  const before = list.find(c => c.type === type)
  const next: PodCondition = {
    type,
    status,
    lastProbeTime: null,
    lastTransitionTime:
      before?.status === status && before.lastTransitionTime !== undefined ? before.lastTransitionTime : stamp(now),
    ...(reason !== undefined && { reason }),
  }
  return before ? list.map(c => (c === before ? next : c)) : [...list, next]
}

/** How the life of a deleted pod goes on: when it is removed, and the status to write before (a pod with unfinished work
 * that must not be restarted ends as Failed). `noticed` is when the deletion was first seen. */
export function ending(pod: SimPod, noticed: Millis, shortest: Millis): Readonly<{ at: Millis; last?: PodStatus }> {
  const grace = seconds(pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30)
  const hooks = pod.spec.containers.map(container => hookTime(container.lifecycle?.preStop))
  const at = noticed + Math.min(Math.max(shortest, ...hooks), grace)
  const phase = pod.status?.phase
  if (pod.spec.restartPolicy !== 'Never' || phase === 'Succeeded' || phase === 'Failed') return { at }
  let conditions = pod.status?.conditions ?? []
  for (const type of ['ContainersReady', 'Ready']) conditions = withCondition(conditions, type, false, 'PodFailed', at)
  const killed = { exitCode: 137, reason: 'Error', startedAt: null, finishedAt: stamp(at) }
  const containerStatuses = (pod.status?.containerStatuses ?? []).map(status => ({
    ...status,
    ready: false,
    state: { terminated: killed },
  }))
  return { at, last: { ...pod.status, phase: 'Failed', conditions, containerStatuses } }
}

/** An address for a pod in 10.128.0.0/10, the same for the same uid. */
export function addressOf(uid: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < uid.length; i++) hash = Math.imul(hash ^ uid.charCodeAt(i), 0x01000193) >>> 0
  return `10.${128 + ((hash >>> 24) & 0x3f)}.${(hash >>> 16) & 0xff}.${1 + ((hash & 0xff) % 254)}`
}
