// All that an adapter sees: what it is told to bring about, what it may read, and the actions it may ask for.
// Types and tiny pure helpers only; nothing here runs I/O.
import type * as z from 'zod'
import type { RolloutStatus } from './api/rollout-status.ts'

/** Milliseconds since the epoch, or a length of time in milliseconds. */
export type Millis = number

export type OwnerReference = Readonly<{
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}>

/** Kubernetes metadata as it comes over the wire: times stay RFC 3339 strings. */
export type ObjectMeta = Readonly<{
  name: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
  ownerReferences?: readonly OwnerReference[]
  finalizers?: readonly string[]
  managedFields?: readonly unknown[]
}>

/** Any Kubernetes object, as plain JSON. Unknown fields are kept: nobody drops what they do not know. */
export type KubeObject = Readonly<{
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}>

export type KindRef = Readonly<{ apiVersion: string; kind: string }>
export type Ref = Readonly<{ apiVersion: string; kind: string; namespace?: string; name: string }>

/** A Kubernetes Event to record about the object being reconciled. */
export type EventNote = Readonly<{ type: 'Normal' | 'Warning'; reason: string; message: string }>

/** Fields shared by every action: `why` is what people read when they ask for the reason. */
type Reasoned = Readonly<{
  why: string
  /** Recorded before the request is sent, so also when it fails. */
  announce?: EventNote | readonly EventNote[]
  /** Recorded once the request has succeeded. */
  event?: EventNote
}>

/** One write. Performed in order by `src/kube/perform.ts`; the first error stops the rest. */
export type Action =
  | (Reasoned & Readonly<{ verb: 'create'; object: KubeObject }>)
  | (Reasoned &
      Readonly<{
        verb: 'patch'
        ref: Ref
        type: 'merge' | 'json' | 'strategic'
        patch: unknown
        subresource?: 'status' | 'scale'
        /** Precondition: answer 409 when the object has moved on. Merge patches only. */
        resourceVersion?: string
      }>)
  | (Reasoned &
      Readonly<{ verb: 'delete'; ref: Ref; uid?: string; propagation?: 'Background' | 'Foreground' | 'Orphan' }>)
  | (Reasoned & Readonly<{ verb: 'evict'; ref: Ref }>)

/** The user's spec refers to something missing or unfit: a condition and a slow recheck, never a hot loop. */
export class TerminalError extends Error {
  readonly reason: string
  /** Writes that came before what failed and are to be performed all the same: earlier objects of a list. */
  readonly actions: readonly Action[]
  constructor(reason: string, message: string, actions: readonly Action[] = []) {
    super(message)
    this.name = 'TerminalError'
    this.reason = reason
    this.actions = actions
  }
}

/** A share of the traffic. `weight` counts in units of `Desired.total`. */
export type Dest = Readonly<{
  role: 'stable' | 'canary' | 'active' | 'preview' | 'extra'
  weight: number
  service?: string
  /** Pod template hash behind this destination, for routers that select by label. */
  hash?: string
  /** What the names of its pods begin with, if that tells them from all others. */
  pods?: string
}>

export type StringMatch = Readonly<{ exact?: string; prefix?: string; regex?: string }>

/** Requests that match any entry go to the canary. */
export type HeaderRoute = Readonly<{
  name: string
  anyOf: readonly Readonly<{ header: string; value: StringMatch }>[]
}>

/** Requests that match any entry (no entry: all) are copied to the canary; `percent` 0..100. */
export type MirrorRoute = Readonly<{
  name: string
  percent: number
  anyOf: readonly Readonly<{
    method?: StringMatch
    path?: StringMatch
    headers?: Readonly<Record<string, StringMatch>>
  }>[]
}>

/** The whole state that the routers must show, in precedence order; the weights of `dests` sum to `total`. */
export type Desired = Readonly<{
  /** The Rollout: who owns what an adapter creates. */
  owner: OwnerReference
  namespace: string
  total: number
  /** True when the spec names maxTrafficWeight (nginx then writes canary-weight-total). */
  totalIsExplicit: boolean
  dests: readonly Dest[]
  headers: readonly HeaderRoute[]
  mirrors: readonly MirrorRoute[]
  /** Names of all header and mirror routes that the spec speaks of, in force or not, by precedence: those that are there
   * and not wanted go. */
  managed?: readonly string[]
}>

/** Looks an object up in the reading that the plan is made from. */
export type Seen = (ref: Ref) => KubeObject | undefined

/** `isMissing`: something referred to is not there, or the reference itself is wrong; told before what is there but unfit. */
export type Finding = Readonly<{ level: 'error' | 'warning'; isMissing?: boolean; path?: string; message: string }>

/** How far the router has followed: `verified` null means that it gives no feedback. */
export type Observation = Readonly<{
  verified: boolean | null
  reason: string
  /** When to look again while it is not verified; 10 s when not given. */
  again?: Millis
  /** What followers say is wrong with what they were given: people are told by an event. */
  complaint?: string
}>

/** What one data plane of our own said when it was asked. */
export type Told = Readonly<{
  /** Its address, for people. */
  from: string
  /** Does it get new requests, as far as the cluster knows? */
  isServing: boolean
  heard: Heard
}>

/** Data planes of our own that follow what a router writes, each of which can be asked how far it is. */
export type Followers<C> = Readonly<{
  /** Services with this label set to "true" lead to them, in the rollout's namespace or in the controller's own. */
  label: string
  /** Name of the Service's port to ask. */
  port: string
  path: string
  /** Requests that they still have for a version, as far as they tell: what the version's pods must stay for. */
  underWay(config: C, of: Named & Readonly<{ hash: string }>, seen: Seen, told: readonly Told[]): UnderWay
  /** How long pods stay for requests under way after their delay is over, at most; 0: not at all. */
  patience(config: C): Millis
  /** Have they found the canary bad by themselves? Looked at every `every` while the canary has traffic. */
  alarm?: Readonly<{
    every(config: C): Millis | undefined
    read(config: C, of: Named & Readonly<{ hash: string }>, told: readonly Told[]): string | undefined
  }>
}>

/** Requests that are not answered yet, and who has them. */
export type UnderWay = Readonly<{ count: number; reason: string }>

/** Whose traffic it is. */
type Named = Readonly<{ namespace: string; name: string }>

/** What a provider says through an interface of its own, outside of Kubernetes. It is asked only where the operator wants
 * it, and only when it counts: at a step that sets a weight, and before the old version goes. */
export type Inquiry<C> = Readonly<{
  /** What to ask. Schemes other than http are answered by doors of the controller's own (src/aws). */
  asks(config: C, want: Desired, seen: Seen): readonly HttpRequest[]
  /** `heard`: the answers, by URL. `before`: what the status has from the last time. */
  read(config: C, want: Desired, seen: Seen, heard: ReadonlyMap<string, Heard>, before: Inquired['status']): Inquired
}>

export type Inquired = Readonly<{
  verified: boolean
  reason: string
  events: readonly EventNote[]
  /** What could not be found out, if that is why it is not verified. */
  error?: string
  /** Fields of the Rollout's status that tell of the provider's objects. */
  status: Pick<RolloutStatus, 'alb' | 'albs'>
}>

/** A list of pods by address that something outside of Kubernetes keeps, such as a load balancer: it learns of a switch of a
 * Service late. Looked at where the operator wants it: before the version that a Service has left may go. */
export type Registry = Readonly<{
  /** The objects that tie Services to such lists; the operator may name another version of them. */
  bindings: KindRef
  /** What to ask. */
  asks(of: Registration): readonly HttpRequest[]
  /** `heard`: the answers, by URL. Verified also when nothing ties the Service to a list. */
  read(of: Registration, heard: ReadonlyMap<string, Heard>): Pick<Inquired, 'verified' | 'reason' | 'events'>
  /** How people are told that the objects could not be read. */
  failed(service: string, text: string): EventNote
}>

/** A Service, and the version whose pods should be registered for it. */
export type Registration = Readonly<{
  service: KubeObject
  /** All of the namespace. */
  bindings: readonly KubeObject[]
  /** The EndpointSlices of the Service. */
  slices: readonly KubeObject[]
  /** What the names of the version's pods begin with, if that tells them from all others. */
  pods?: string
  /** So many pods of it are available, whatever the slices say yet. */
  atLeast: number
}>

/** What a provider can express; the core refuses what it cannot instead of dropping it silently. */
export type Caps = Readonly<{
  header: readonly ('exact' | 'prefix' | 'regex')[]
  mirror: false | 'all' | 'percent'
  maxExtras: number
  /** Largest `total` the provider can be given. */
  maxTotal: number
  blueGreen: boolean
}>

export type PolicyRule = Readonly<{
  apiGroups: readonly string[]
  resources: readonly string[]
  verbs: readonly string[]
}>

/** A traffic adapter: one file in adapters/traffic, a pure translator from Desired to actions. */
export type TrafficRouter<C> = Readonly<{
  /** The key under spec.strategy.canary.trafficRouting, or `pintle/NAME` under its plugins. */
  name: string
  config: z.ZodType<C>
  rbac: readonly PolicyRule[]
  caps: Caps
  /** The objects that a plan reads; asked before anything is decided, so it sees only names. */
  reads(config: C, owner: Readonly<{ namespace: string; name: string }>): readonly Ref[]
  /** Lint before the first write: what the objects lack for this configuration. */
  check?(config: C, want: Desired, seen: Seen): readonly Finding[]
  /** The writes that bring the world to `want`, in order; empty when it is there. Throws TerminalError. */
  plan(config: C, want: Desired, seen: Seen): readonly Action[]
  /** `told`: the answers of its followers, if it has any. */
  observe?(config: C, want: Desired, seen: Seen, told: readonly Told[]): Observation
  followers?: Followers<C>
  inquiry?: Inquiry<C>
  registry?: Registry
  /** Names of the rollouts of whose traffic the object speaks, by owner or mark: known also when nobody configures it. */
  speaksFor(live: KubeObject): readonly string[]
  /** The rollout routes by this object no longer, or is gone: the object is made to send nobody to a version that nobody
   * looks after. Nothing when it does so already. */
  release(live: KubeObject, rollout: string): readonly Action[]
}>

/** Declares a traffic adapter; exists for its types. */
export const defineTrafficRouter = <C>(router: TrafficRouter<C>): TrafficRouter<C> => router

export type HttpRequest = Readonly<{
  method: string
  url: string
  headers?: Readonly<Record<string, string>>
  body?: string
  /** Milliseconds. */
  timeout?: Millis
}>
export type HttpReply = Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: string }>

/** What came of a question: a reply of any status, or why there was none. */
export type Heard = HttpReply | Readonly<{ error: string }>

/** A measured value: `result` is what conditions see, `value` what the measurement records. */
export type Measured = Readonly<{ result: unknown; value: string; metadata?: Readonly<Record<string, string>> }>

/** A metric provider: says what to ask and how to read the answer; the core sends. */
export type MetricProvider<C> = Readonly<{
  /** The key under metrics[].provider, or `pintle/NAME` under its plugin. */
  name: string
  config: z.ZodType<C>
  rbac?: readonly PolicyRule[]
  request(config: C): HttpRequest
  /** Throws an Error whose message becomes that of an Error measurement. */
  parse(reply: HttpReply, config: C): Measured
  everyone?: Everyone<C>
}>

/** A metric that all data planes of our own know a part of: each is asked, found as the followers of a router are. */
export type Everyone<C> = Readonly<{
  label: string
  port: string
  /** What to ask; undefined: the configuration names an address of its own. */
  path(config: C): string | undefined
  /** Throws as `parse` of the provider does. */
  parse(told: readonly Told[], config: C): Measured
}>

/** Declares a metric provider; exists for its types. */
export const defineMetricProvider = <C>(provider: MetricProvider<C>): MetricProvider<C> => provider

/** For whom an object measures: the run, the metric, and the how manieth measurement it is, from 1. */
export type Measuring = Readonly<{
  run: Readonly<{ uid: string; name: string; namespace: string }>
  metric: string
  nth: number
}>

/** How a measuring object ended. */
export type ObjectVerdict = Readonly<{
  phase: 'Successful' | 'Failed' | 'Inconclusive' | 'Error'
  message?: string
}>

/** A metric provider that measures by an object of the cluster, such as a Job: says what to create and how to read how
 * it stands; the core creates it (owned by the run), looks at it again and again, and deletes it when the run is ended. */
export type ObjectProvider<C> = Readonly<{
  /** The key under metrics[].provider. */
  name: string
  config: z.ZodType<C>
  rbac?: readonly PolicyRule[]
  kind: KindRef
  /** The object, without owner. Its name must follow from `of` alone, so that a repeated create meets itself. */
  object(config: C, of: Measuring): KubeObject
  /** What the measurement records of the object. */
  metadata(object: KubeObject): Readonly<Record<string, string>>
  /** The object's name in that record. */
  nameOf(metadata: Readonly<Record<string, string>>): string | undefined
  /** Undefined: it is not over yet. `pods`: those that the labels of `podLabels` select, when they were asked for. */
  read(object: KubeObject, pods?: readonly KubeObject[]): ObjectVerdict | undefined
  /** Labels of the Pods that say more than an object which is not over. */
  podLabels?(object: KubeObject): Readonly<Record<string, string>> | undefined
}>

/** Declares a metric provider that measures by objects; exists for its types. */
export const defineObjectProvider = <C>(provider: ObjectProvider<C>): ObjectProvider<C> => provider

/** What a step plugin is asked to do: begin or go on, stop since the rollout was promoted past it, or take back what it
 * did since the rollout was aborted. */
export type StepOperation = 'Run' | 'Terminate' | 'Abort'

/** For whom a step plugin works. */
export type StepContext = Readonly<{
  rollout: Readonly<{ namespace: string; name: string; uid: string; revision: number }>
  /** Pod template hashes of the two versions; '' when there is no such version. */
  stableHash: string
  canaryHash: string
  /** The step's index, from 0. */
  index: number
  /** What its last answer kept; undefined at first. */
  status: unknown
}>

/** How a step stands. `phase` left out: Run goes on, the other operations are done. */
export type StepAnswer = Readonly<{
  phase?: 'Running' | 'Successful' | 'Failed'
  message?: string
  /** When to ask again while Running; at least 10 s, 30 s when not given. */
  requeueAfter?: Millis
  /** Kept in the rollout's status and handed back with the next question. */
  status?: Readonly<Record<string, unknown>>
}>

/** A step plugin: says what to ask and how to read the answer; the core sends, again and again until it is over. A
 * question may come twice, so asking must be harmless. */
export type StepPlugin<C> = Readonly<{
  /** The name under steps[].plugin, such as `pintle/NAME`. */
  name: string
  config: z.ZodType<C>
  rbac?: readonly PolicyRule[]
  request(operation: StepOperation, config: C, of: StepContext): HttpRequest
  /** Throws an Error when the answer says nothing; the step is in Error then, and asked again after 30 s. */
  parse(reply: HttpReply, operation: StepOperation, config: C): StepAnswer
}>

/** Declares a step plugin; exists for its types. */
export const defineStepPlugin = <C>(plugin: StepPlugin<C>): StepPlugin<C> => plugin

export { controllingRollout, ensure, mergePatchTo, refOf, sameJson } from './object.ts'
