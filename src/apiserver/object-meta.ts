// Rules of metadata that hold for every kind: names, labels, annotations, owners, finalizers.

import {
  dns1035Faults,
  dnsLabelFaults,
  dnsSubdomainFaults,
  labelKeyFaults,
  labelValueFaults,
  pathSegmentFaults,
} from '../api/rules/names.ts'
import type { KubeObject, OwnerReference } from '../contract.ts'
import type { Draft } from './core.ts'
import type { Cause, KindDef } from './model.ts'
import { badRequest } from './refusals.ts'

const FIELDS = new Set([
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
])

const ANNOTATION_BYTES = 262_144

/**
 * Brings the metadata of a draft into shape: unknown, empty and null members go. Answers the paths of the unknown
 * ones. Raises 400 when a member has the wrong type.
 */
export const tidyMeta = (draft: Draft): string[] => {
  const { metadata } = draft
  const unknown: string[] = []
  for (const [key, value] of Object.entries(metadata)) {
    if (value === null || value === '' || (key === 'managedFields' && value !== undefined)) delete metadata[key]
    if (FIELDS.has(key)) continue
    delete metadata[key]
    unknown.push(`metadata.${key}`)
  }
  for (const key of ['labels', 'annotations']) checkTexts(draft, key)
  for (const key of ['name', 'generateName', 'namespace', 'uid', 'resourceVersion']) {
    const value = metadata[key]
    if (value !== undefined && typeof value !== 'string') throw wrongType(draft, `metadata.${key}`, value, 'string')
  }
  for (const key of ['ownerReferences', 'finalizers']) {
    const value = metadata[key]
    if (value !== undefined && !Array.isArray(value)) throw wrongType(draft, `metadata.${key}`, value, '[]')
    if (Array.isArray(value) && value.length === 0) delete metadata[key]
  }
  return unknown
}

const goKind = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : (typeof value as string)

const wrongType = (draft: Draft, field: string, value: unknown, type: string) =>
  badRequest(
    `${draft.kind} in version "${draft.apiVersion.split('/').at(-1)}" cannot be handled as a ${draft.kind}: ` +
      `json: cannot unmarshal ${goKind(value)} into Go struct field ObjectMeta.${field} of type ${type}`,
  )

const checkTexts = (draft: Draft, key: string): void => {
  const texts = draft.metadata[key]
  if (texts === undefined) return
  if (typeof texts !== 'object' || Array.isArray(texts)) {
    throw wrongType(draft, `metadata.${key}`, texts, 'map[string]string')
  }
  const entries = Object.entries(texts as Record<string, unknown>)
  if (entries.length === 0) delete draft.metadata[key]
  for (const [name, value] of entries) {
    if (value === null) (texts as Record<string, unknown>)[name] = ''
    else if (typeof value !== 'string') throw wrongType(draft, `metadata.${key}`, value, 'string')
  }
}

const RBAC = 'rbac.authorization.k8s.io'

const nameFaults = (def: KindDef, name: string): string[] => {
  if (def.group === '' && def.kind === 'Namespace') return dnsLabelFaults(name)
  if (def.group === '' && def.kind === 'Service') return dns1035Faults(name)
  if (def.group === RBAC) return pathSegmentFaults(name)
  return dnsSubdomainFaults(name)
}

const invalidValue = (field: string, value: unknown, fault: string): Cause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${fault}`,
})

/** What is wrong with the metadata of an object; `old` on updates. Empty: nothing. */
export const metaCauses = (def: KindDef, object: KubeObject, old?: KubeObject): Cause[] => {
  const { name, labels = {}, annotations = {}, ownerReferences = [], finalizers = [] } = object.metadata
  const causes: Cause[] = []
  const add = (field: string, value: unknown, faults: readonly string[]): void => {
    for (const fault of faults) causes.push(invalidValue(field, value, fault))
  }
  if (!old) add('metadata.name', name, nameFaults(def, name))
  for (const [key, value] of Object.entries(labels)) {
    add('metadata.labels', key, labelKeyFaults(key))
    add('metadata.labels', value, labelValueFaults(value))
  }
  for (const finalizer of finalizers) add('metadata.finalizers', finalizer, labelKeyFaults(finalizer))
  let bytes = 0
  for (const [key, value] of Object.entries(annotations)) {
    add('metadata.annotations', key, labelKeyFaults(key.toLowerCase()))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > ANNOTATION_BYTES) {
    const message = `Too long: may not be more than ${ANNOTATION_BYTES} bytes`
    causes.push({ reason: 'FieldValueTooLong', field: 'metadata.annotations', message })
  }
  return [...causes, ...ownerCauses(ownerReferences), ...(old ? updateCauses(object, old) : [])]
}

const ownerCauses = (owners: readonly OwnerReference[]): Cause[] => {
  const causes = owners.flatMap((owner, index) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter(key => !owner[key])
      .map((key): Cause => {
        const field = `metadata.ownerReferences[${index}].${key}`
        return { reason: 'FieldValueRequired', field, message: 'Required value: must not be empty' }
      }),
  )
  const [first, second] = owners.filter(owner => owner.controller)
  if (!first || !second) return causes
  const fault = `Only one reference can have Controller set to true. Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`
  return [...causes, invalidValue('metadata.ownerReferences', owners, fault)]
}

const updateCauses = (object: KubeObject, old: KubeObject): Cause[] => {
  const causes: Cause[] = []
  for (const key of ['name', 'namespace', 'uid', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    const value = object.metadata[key]
    if (value !== old.metadata[key]) causes.push(invalidValue(`metadata.${key}`, value ?? null, 'field is immutable'))
  }
  if (old.metadata.deletionTimestamp === undefined) return causes
  const known = new Set(old.metadata.finalizers)
  const added = (object.metadata.finalizers ?? []).filter(finalizer => !known.has(finalizer))
  if (added.length === 0) return causes
  const list = `[]string{${added.map(finalizer => JSON.stringify(finalizer)).join(', ')}}`
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${list}`
  return [...causes, { reason: 'FieldValueForbidden', field: 'metadata.finalizers', message }]
}
