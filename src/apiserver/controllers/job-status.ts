// When a Job is over, and what its status says; the reasons and messages are those of the real controller.
import type { Job } from './job.ts'
import { type Condition, timestamp } from './objects.ts'

export type JobCondition = Condition

/** How a Job ends. */
export type JobEnd = Readonly<{ type: 'Complete' | 'Failed'; reason: string; message: string }>

type Progress = Readonly<{ active: number; succeeded: number; failures: number }>

/** The end that a Job has come to, if it has. */
export function jobEnd(spec: Job['spec'], progress: Progress, isLate: boolean): JobEnd | undefined {
  const { active, succeeded, failures } = progress
  const { completions, backoffLimit = 6 } = spec
  if (failures > backoffLimit)
    return {
      type: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    }
  if (isLate)
    return {
      type: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Job was active longer than specified deadline',
    }
  const isEnough = completions === undefined ? succeeded > 0 && active === 0 : succeeded >= completions
  if (!isEnough) return undefined
  return { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
}

type Counts = Progress & Readonly<{ ready: number; terminating: number; startTime: number }>

/** The whole status. Before the final condition comes the one that says that it will (`SuccessCriteriaMet` or
 * `FailureTarget`); both are written at once here. */
export function jobStatus(job: Job, counts: Counts, end: JobEnd | undefined, now: number): Job['status'] {
  const { active, ready, succeeded, failures, terminating, startTime } = counts
  const condition = (type: string, status: string, reason: string, message: string): JobCondition => ({
    type,
    status,
    lastProbeTime: timestamp(now),
    lastTransitionTime: timestamp(now),
    reason,
    message,
  })
  let conditions = job.status?.conditions ?? []
  const suspended = conditions.find(c => c.type === 'Suspended')
  const others = conditions.filter(c => c !== suspended)
  if (job.spec.suspend && suspended?.status !== 'True')
    conditions = [...others, condition('Suspended', 'True', 'JobSuspended', 'Job suspended')]
  if (!job.spec.suspend && suspended?.status === 'True')
    conditions = [...others, condition('Suspended', 'False', 'JobResumed', 'Job resumed')]
  if (end) {
    const herald = end.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'
    const say = (type: string) => condition(type, 'True', end.reason, end.message)
    conditions = [...conditions, say(herald), say(end.type)]
  }
  return {
    ...(conditions.length > 0 && { conditions }),
    ...(!job.spec.suspend && { startTime: timestamp(startTime) }),
    ...(end?.type === 'Complete' && { completionTime: timestamp(now) }),
    ...(active > 0 && { active }),
    ...(succeeded > 0 && { succeeded }),
    ...(failures > 0 && { failed: failures }),
    uncountedTerminatedPods: {},
    ready,
    terminating,
  } as Job['status']
}
