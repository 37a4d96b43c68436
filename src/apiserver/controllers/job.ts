// Job: Pods until enough of them have succeeded, or too many failed, or the time is up.
import { type KubeObject, refOf, sameJson } from '../../contract.ts'
import type { Ports } from './api.ts'
import { type JobCondition, type JobEnd, jobEnd, jobStatus } from './job-status.ts'
import { controlLoop, forgiving, keyOf, splitKey } from './loop.ts'
import { controllerOf, controllerRef, isActive, isReady, JOB, type Pod, type PodTemplate } from './objects.ts'

export type Job = KubeObject &
  Readonly<{
    spec: Readonly<{
      parallelism?: number
      completions?: number
      backoffLimit?: number
      activeDeadlineSeconds?: number
      ttlSecondsAfterFinished?: number
      suspend?: boolean
      template: PodTemplate
    }>
    status?: Readonly<{
      conditions?: readonly JobCondition[]
      startTime?: string
      completionTime?: string
      succeeded?: number
      failed?: number
    }>
  }>

const FIRST_BACKOFF = 10_000
const LONGEST_BACKOFF = 600_000

/** Starts the controller; the answer stops it. */
export function startJobs(ports: Ports, failed: (error: unknown, key: string) => void): () => void {
  const { api, index, clock } = ports
  const loop = controlLoop(clock, key => sync(ports, key), failed)
  const stop = index.onEvent(({ object }) => {
    if (object.kind === 'Job' && object.apiVersion === 'batch/v1')
      loop.add(keyOf(object.metadata.namespace, object.metadata.name))
    if (object.kind !== 'Pod') return
    const owner = controllerOf(object.metadata)
    if (owner?.kind === 'Job') loop.add(keyOf(object.metadata.namespace, owner.name))
  })
  for (const job of api.list(JOB)) loop.add(keyOf(job.metadata.namespace, job.metadata.name))
  return () => {
    stop()
    loop.stop()
  }
}

const isFinished = (job: Job): boolean =>
  (job.status?.conditions ?? []).some(c => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True')

function sync(ports: Ports, key: string): number | undefined {
  const { api, index, clock } = ports
  const { namespace, name } = splitKey(key)
  const job = api.get(JOB, namespace, name) as Job | undefined
  if (!job || job.metadata.deletionTimestamp !== undefined) return undefined
  const now = clock.now()
  if (isFinished(job)) return expire(api, job, now)
  const pods = index.dependents(job.metadata.uid ?? '').filter(o => o.kind === 'Pod') as readonly Pod[]
  const active = pods.filter(isActive)
  const count = (phase: string) => pods.filter(pod => pod.status?.phase === phase).length
  // A Pod that is gone stays counted: what has been reported once is never taken back.
  const succeeded = Math.max(job.status?.succeeded ?? 0, count('Succeeded'))
  const failures = Math.max(job.status?.failed ?? 0, count('Failed'))
  const startTime = job.status?.startTime === undefined ? now : Date.parse(job.status.startTime)
  const deadline = startTime + (job.spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY) * 1000
  const end = job.spec.suspend
    ? undefined
    : jobEnd(job.spec, { active: active.length, succeeded, failures }, now >= deadline)

  if (end || job.spec.suspend) {
    for (const pod of active) remove(api, pod)
    writeStatus(ports, job, { active: 0, ready: 0, succeeded, failures, terminating: active.length, startTime }, end)
    return undefined
  }
  const wanted = wantedPods(job, succeeded)
  const backoff = active.length < wanted ? backoffEnd(pods, failures) : 0
  const due = backoff <= now
  if (due) for (let i = active.length; i < wanted; i++) api.create(newPod(job))
  for (const pod of active.slice(wanted)) remove(api, pod)
  const terminating = pods.filter(pod => pod.metadata.deletionTimestamp !== undefined && !isOver(pod)).length
  const ready = active.filter(isReady).length
  const shown = due && active.length < wanted ? wanted : Math.min(active.length, wanted)
  writeStatus(ports, job, { active: shown, ready, succeeded, failures, terminating, startTime }, undefined)
  const times = [deadline, ...(due ? [] : [backoff])].filter(time => time > now && Number.isFinite(time))
  return times.length > 0 ? Math.min(...times) : undefined
}

const isOver = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

function wantedPods({ spec }: Job, succeeded: number): number {
  const parallelism = spec.parallelism ?? 1
  if (spec.completions === undefined) return succeeded > 0 ? 0 : parallelism
  return Math.max(0, Math.min(parallelism, spec.completions - succeeded))
}

/** After a failure the next Pod waits 10 s, 20 s, 40 s … counted from the last failure. */
function backoffEnd(pods: readonly Pod[], failures: number): number {
  if (failures === 0) return 0
  const times = pods
    .filter(pod => pod.status?.phase === 'Failed')
    .flatMap(pod => pod.status?.containerStatuses ?? [])
    .map(container => Date.parse(container.state?.terminated?.finishedAt ?? ''))
    .filter(time => !Number.isNaN(time))
  return Math.max(0, ...times) + Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (failures - 1))
}

function newPod(job: Job): KubeObject {
  const { metadata: { labels, annotations } = {}, spec = {} } = job.spec.template
  const { name, namespace, uid = '' } = job.metadata
  const own = { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name }
  const metadata = {
    generateName: `${name}-`,
    namespace,
    labels: { ...own, 'controller-uid': uid, 'job-name': name, ...labels },
    ...(annotations && { annotations }),
    ownerReferences: [controllerRef(job)],
  }
  // The server completes generateName; the type knows only finished objects.
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec } as unknown as KubeObject
}

const remove = (api: Ports['api'], pod: Pod): void => {
  forgiving([404, 409], () => api.remove(refOf(pod), { preconditions: { uid: pod.metadata.uid ?? '' } }))
}

type Counts = Parameters<typeof jobStatus>[1]

function writeStatus({ api, clock }: Ports, job: Job, counts: Counts, end: JobEnd | undefined): void {
  const status = jobStatus(job, counts, end, clock.now())
  if (!sameJson(status, job.status)) api.update({ ...job, status }, { subresource: 'status' })
}

function expire(api: Ports['api'], job: Job, now: number): number | undefined {
  const { ttlSecondsAfterFinished: ttl } = job.spec
  if (ttl === undefined) return undefined
  const ended = (job.status?.conditions ?? []).find(c => c.type === 'Complete' || c.type === 'Failed')
  const due = Date.parse(ended?.lastTransitionTime ?? '') + ttl * 1000
  if (due > now) return due
  forgiving([404, 409], () => api.remove(refOf(job), { propagationPolicy: 'Foreground' }))
  return undefined
}
