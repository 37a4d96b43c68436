// What the embedded API server knows of a kind, and the one error type that it answers with.
import type { Cause } from '../api/rules/causes.ts'
import type { KubeObject } from '../contract.ts'

export type { Cause }

/** A column of `kubectl get`: `path` is a dotted path or JSONPath below the object, `value` computes it. */
export type Column = Readonly<{
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format?: string
  description?: string
  /** 0 always shown, 1 with -o wide. */
  priority: number
  jsonPath?: string
  /** Built-in kinds compute; `now` in milliseconds, for ages. */
  value?: (object: KubeObject, now: number) => string | number | boolean | null
}>

/** When a write raises metadata.generation. */
export type GenerationRule = 'none' | 'spec' | 'spec-and-annotations' | 'content'

export type ScaleRule = Readonly<{ specReplicas: string; statusReplicas: string; selector?: string }>

/** One served kind: built in, or made from a CRD object. */
export type KindDef = Readonly<{
  group: string
  version: string
  kind: string
  listKind: string
  plural: string
  singular: string
  shortNames: readonly string[]
  categories: readonly string[]
  namespaced: boolean
  /** Built-in kinds take strategic merge patches; custom ones answer 415. */
  builtIn: boolean
  status: boolean
  scale?: ScaleRule
  generation: GenerationRule
  columns: readonly Column[]
  /** Field selector label -> dotted path, beside metadata.name and metadata.namespace. */
  selectable: Readonly<Record<string, string>>
  /** The openAPIV3Schema of a CRD version, or a sketch of a built-in kind for kubectl's validation. */
  schema?: Readonly<Record<string, unknown>>
  /** Defaults of a built-in kind; gets a mutable deep copy and changes it in place. */
  defaults?(object: Record<string, unknown>): void
  /** Rules of a built-in kind; `old` on updates (immutability). Empty: fine. */
  validate?(object: KubeObject, old?: KubeObject): readonly Cause[]
  /** Unknown fields of a built-in kind, as dotted paths; they are dropped, warned about or refused. */
  unknownFields?(object: KubeObject): readonly string[]
}>

export type StatusDetails = Readonly<{
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: readonly Readonly<{ reason?: string; message: string; field?: string }>[]
  retryAfterSeconds?: number
}>

/** The Kubernetes Status object that a failed request is answered with. */
export class StatusError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails | undefined
  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.name = 'StatusError'
    this.code = code
    this.reason = reason
    this.details = details
  }

  /** The JSON body. */
  body(): Record<string, unknown> {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    }
  }
}

/** `apps/v1`, or `v1` for the core group. */
export const apiVersionOf = (def: Pick<KindDef, 'group' | 'version'>): string =>
  def.group === '' ? def.version : `${def.group}/${def.version}`

/** `replicasets.apps`, or `pods` for the core group: how errors name a kind. */
export const qualifiedPlural = (def: Pick<KindDef, 'group' | 'plural'>): string =>
  def.group === '' ? def.plural : `${def.plural}.${def.group}`
