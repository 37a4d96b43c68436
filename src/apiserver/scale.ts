// The scale subresource: one number of replicas, whatever the kind calls it.
import type { KubeObject } from '../contract.ts'
import type { Core } from './core.ts'
import { cloneJson, readPath, writePath } from './json-value.ts'
import type { Cause, KindDef, ScaleRule } from './model.ts'
import type { PatchType } from './patch.ts'
import { applyPatch } from './patch.ts'
import { badRequest, invalid, noSuchPath } from './refusals.ts'
import type { UpdateOptions } from './update.ts'
import { updateObject } from './update.ts'

type Selector = {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

const ruleOf = (def: KindDef): ScaleRule => {
  if (!def.scale) throw noSuchPath()
  return def.scale
}

/** `app=web,tier in (a,b)`: a LabelSelector as text, labels in order of name. */
export const selectorText = (selector: Selector): string => {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  const others = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.toSorted().join(',')})`
  })
  return [...equal, ...others].sort().join(',')
}

/** The autoscaling/v1 Scale of an object. Raises 404 for a kind without. */
export const scaleOf = (def: KindDef, object: KubeObject): KubeObject => {
  const rule = ruleOf(def)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = rule.selector === undefined ? undefined : readPath(object, rule.selector)
  const text = typeof selector === 'string' ? selector : selector ? selectorText(selector as Selector) : ''
  const replicas = readPath(object, rule.specReplicas)
  const status = readPath(object, rule.statusReplicas)
  const spec = typeof replicas === 'number' && replicas !== 0 ? { replicas } : {}
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    spec,
    status: { replicas: typeof status === 'number' ? status : 0, ...(text === '' ? {} : { selector: text }) },
  } as KubeObject
}

const replicasOf = (def: KindDef, name: string, scale: unknown): number => {
  const replicas = readPath(scale, 'spec.replicas') ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw badRequest(
      `Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal ${typeof replicas} into Go struct field ScaleSpec.spec.replicas of type int32`,
    )
  }
  if (replicas >= 0) return replicas
  if (!def.builtIn) {
    const message = `Invalid value: ${replicas}: should be a non-negative integer`
    throw invalid(def, name, [{ reason: 'FieldValueInvalid', field: ruleOf(def).specReplicas, message }])
  }
  const cause: Cause = {
    reason: 'FieldValueInvalid',
    field: 'spec.replicas',
    message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
  }
  throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [cause])
}

/** Writes the replicas of a Scale into the object behind it and answers the Scale afterwards. */
export const updateScale = (
  core: Core,
  def: KindDef,
  at: Readonly<{ namespace: string; name: string }>,
  change: (scale: KubeObject) => unknown,
  options: UpdateOptions,
): KubeObject => {
  const rule = ruleOf(def)
  const write = (existing: KubeObject): unknown => {
    const scale = change(scaleOf(def, existing))
    const replicas = replicasOf(def, at.name, scale)
    const next = cloneJson(existing) as Record<string, unknown>
    writePath(next, rule.specReplicas, replicas)
    const version = readPath(scale, 'metadata.resourceVersion')
    if (typeof version === 'string' && version !== '') writePath(next, 'metadata.resourceVersion', version)
    const uid = readPath(scale, 'metadata.uid')
    if (typeof uid === 'string' && uid !== '') writePath(next, 'metadata.uid', uid)
    return next
  }
  return scaleOf(def, updateObject(core, def, at, write, options))
}

/** Patches the Scale of an object. */
export const patchScale = (
  core: Core,
  def: KindDef,
  at: Readonly<{ namespace: string; name: string }>,
  type: PatchType,
  patch: unknown,
  options: UpdateOptions,
): KubeObject => updateScale(core, def, at, scale => applyPatch('Scale', scale, type, cloneJson(patch)), options)
