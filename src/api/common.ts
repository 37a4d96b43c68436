// The building blocks of the schemas: objects that keep unknown fields, the integer and text kinds, shared shapes.
import * as z from 'zod'
import type { KubeObject } from '../contract.ts'

type Fields = Readonly<Record<string, z.ZodType>>
type Optional<O extends Fields> = { [K in keyof O]: z.ZodOptional<O[K]> }

/** An object with required and optional fields. Parsing keeps fields that are not listed, as everywhere in this
 * project; the inferred type does not name them, so that a misspelt field is a type error. */
export function object<R extends Fields, O extends Fields>(required: R, optional: O): z.ZodObject<R & Optional<O>> {
  const rest = Object.fromEntries(Object.entries(optional).map(([name, schema]) => [name, schema.optional()]))
  return z.looseObject({ ...required, ...rest }) as unknown as z.ZodObject<R & Optional<O>>
}

/** An object all of whose fields are optional. */
export const fields = <O extends Fields>(optional: O) => object({}, optional)

/** Deeply read-only: objects from the API are shared and frozen. */
export type Frozen<T> = T extends (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T

/** The type that a schema parses to. */
export type Of<S extends z.ZodType> = Frozen<z.infer<S>>

/** A custom object: metadata as on the wire, spec and status by their schemas. */
export type Custom<Spec, Status = never> = KubeObject & Readonly<{ spec: Spec; status?: Status }>

export const text = z.string()
export const flag = z.boolean()

/** A 32-bit signed integer. Ranges are the controller's business. // argo: setWeight 250 passes the API server */
export const int32 = z.number().meta({ type: 'integer', format: 'int32' })

/** A 64-bit signed integer. */
export const int64 = z.number().meta({ type: 'integer', format: 'int64' })

/** A number or a text: percentages, durations, limits with arguments. The server takes any text. */
export const intOrString = z.union([z.number(), z.string()]).meta({ 'x-kubernetes-int-or-string': true })

/** An RFC 3339 instant; stays text, as all times that come over the wire. */
export const time = z.string().meta({ format: 'date-time' })

/** An object whose inside is nobody's business but its reader's. */
export const freeForm = z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true })

export const textMap = z.record(z.string(), z.string())

export const listOf = <T extends z.ZodType>(element: T) => z.array(element)

/** A list that server-side apply replaces as a whole. */
export const atomicListOf = <T extends z.ZodType>(element: T) =>
  z.array(element).meta({ 'x-kubernetes-list-type': 'atomic' })

/** Labels and annotations that the controller puts on pods, templates or runs. */
export const labelsAndAnnotations = fields({ labels: textMap, annotations: textMap })

export const labelSelector = fields({
  matchLabels: textMap,
  matchExpressions: atomicListOf(object({ key: text, operator: text }, { values: atomicListOf(text) })),
}).meta({ 'x-kubernetes-map-type': 'atomic' })

/** A condition of a Rollout or an Experiment. */
export const condition = object(
  { type: text, status: text, reason: text, message: text, lastUpdateTime: time, lastTransitionTime: time },
  {},
)

export type LabelsAndAnnotations = Of<typeof labelsAndAnnotations>
export type LabelSelector = Of<typeof labelSelector>
