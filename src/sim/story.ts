// Recorded stories: manifests, a script of what a user does, and what followed.
import type { KubeObject } from '../contract.ts'

/** What a script waits for; all that is given must hold at once, and the observed generation must be current. */
export type Awaiting = Readonly<{
  phase?: string
  message?: string
  step?: number
  /** status.stableRS equals status.currentPodHash. */
  stable?: boolean
  /** Phase of any Experiment of the Rollout. */
  experiment?: string
  /** Phase of any AnalysisRun. */
  run?: string
}>

export type Step = Readonly<{
  /** A verb of the kubectl plugin, such as `promote app --full`. */
  verb?: string
  /** A kind that gets the merge patch `with`; `name` defaults to `app`. */
  patch?: string
  name?: string
  with?: unknown
  apply?: readonly KubeObject[]
  /** A kind to delete; `name` as with `patch`. */
  delete?: string
  /** Seconds. */
  sleep?: number
  wait?: Awaiting
  snapshot?: string
}>

export type StoryEvent = Readonly<{ on: string; type: string; reason: string; message: string; count?: number }>

/** `t` is in seconds after the start. Fields are dotted paths; null means that the field went away. */
export type Entry = Readonly<{
  t: number
  did?: Readonly<Record<string, unknown>>
  on?: string
  set?: Readonly<Record<string, unknown>>
  created?: boolean
  deleted?: boolean
  event?: StoryEvent
}>

export type Snapshot = Readonly<{ at?: string; t: number; screen?: string; objects: readonly KubeObject[] }>

export type Recording = Readonly<{ timeline: readonly Entry[]; snapshots: Readonly<Record<string, Snapshot>> }>

export type Story = Recording &
  Readonly<{ name: string; about: string; objects: readonly KubeObject[]; script: readonly Step[] }>
