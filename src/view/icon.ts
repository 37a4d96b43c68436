// One sign per state, and what it means: colour is never alone.

/** How a state should be felt; terminals and pages choose colours by it. */
export type Tone = 'ok' | 'busy' | 'bad' | 'warn' | 'idle' | 'none'

const SIGNS: Readonly<Record<string, readonly [icon: string, tone: Tone]>> = {
  Healthy: ['✔', 'ok'],
  Running: ['◌', 'busy'],
  Successful: ['✔', 'ok'],
  Progressing: ['◌', 'busy'],
  Pending: ['◷', 'warn'],
  Paused: ['॥', 'warn'],
  ScaledDown: ['•', 'idle'],
  Degraded: ['✖', 'bad'],
  Failed: ['✖', 'bad'],
  ReplicaFailure: ['✖', 'bad'],
  Error: ['⚠', 'warn'],
  Inconclusive: ['?', 'warn'],
}

/** The sign of a rollout's, ReplicaSet's, run's or experiment's status. */
export const iconOf = (status: string): string => SIGNS[status]?.[0] ?? '?'

const POD_OK = new Set(['Running', 'Completed', 'Succeeded'])
const POD_BUSY = new Set(['Pending', 'Terminating', 'ContainerCreating', 'PodInitializing', 'SchedulingGated'])
const POD_BAD = new Set(['Failed', 'InvalidImageName', 'CrashLoopBackOff', 'OOMKilled', 'Evicted'])
const POD_WARN = new Set(['ImagePullBackOff', 'RegistryUnavailable', 'NotReady'])

/** The sign of a pod's status text, as `podStatus` gives it. */
export function podIcon(status: string): string {
  if (status.startsWith('Init:')) return '◌'
  if (status.startsWith('Signal:') || status.startsWith('ExitCode:')) return '✖'
  if (POD_OK.has(status)) return '✔'
  if (POD_BUSY.has(status)) return '◌'
  if (POD_BAD.has(status)) return '✖'
  if (POD_WARN.has(status) || status.startsWith('Err') || status.endsWith('Error') || status.endsWith('BackOff'))
    return '⚠'
  return '?'
}

const TONES: Readonly<Record<string, Tone>> = {
  '✔': 'ok',
  '◌': 'busy',
  '✖': 'bad',
  '⚠': 'warn',
  '?': 'warn',
  '◷': 'warn',
  '॥': 'warn',
  '•': 'idle',
}

/** The tone of a sign. */
export const toneOf = (icon: string): Tone => TONES[icon] ?? 'none'
