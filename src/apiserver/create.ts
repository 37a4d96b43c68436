// Creating an object: namespace, name, metadata of its own, defaults, rules, then the store.
import type { KubeObject } from '../contract.ts'
import { allocateAddresses } from './addresses.ts'
import type { Core, Draft, WriteOptions } from './core.ts'
import { generatedName, inVersionOf, isKind, timeText, uuid } from './core.ts'
import { completeCrd, crdCauses } from './crds.ts'
import { causesOf, decode } from './decode.ts'
import { freezeJson } from './json-value.ts'
import type { KindDef } from './model.ts'
import { StatusError } from './model.ts'
import * as refuse from './refusals.ts'

const ATTEMPTS = 8

/**
 * Creates an object. Raises 400 (unreadable, wrong namespace), 403 (namespace ends), 404 (no namespace),
 * 409 (name taken), 422 (against the rules). `namespace` is that of the request.
 */
export const createObject = (
  core: Core,
  def: KindDef,
  input: unknown,
  namespace: string | undefined,
  options: WriteOptions,
): KubeObject => {
  const { store, kinds } = core
  const draft = decode(def, input, options, fresh => {
    if (def.status) delete fresh['status']
  })
  placeInNamespace(core, def, draft, namespace)
  if (isEnding(core, def)) {
    const why = 'create not allowed while custom resource definition is terminating'
    throw refuse.forbidden(def, `${draft.metadata['name'] ?? ''}`, why)
  }
  if (draft.metadata['resourceVersion'] !== undefined) {
    throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created')
  }
  nameDraft(core, def, draft)
  stamp(core, def, draft)
  // Once more, now that it has a uid: a Job's selector and labels are made from it. Defaults may be set twice.
  if (def.builtIn) def.defaults?.(draft)
  if (isKind(def, '', 'Pod')) showGates(draft, timeText(core.clock.now()))
  if (isKind(def, '', 'Service')) allocateAddresses(core, draft)
  if (isKind(def, 'apiextensions.k8s.io', 'CustomResourceDefinition')) completeCrd(core, draft)

  const object = draft as unknown as KubeObject
  const { name } = object.metadata
  const causes = [...causesOf(def, object), ...crdCauses(core, def, object)]
  if (causes.length > 0) throw refuse.invalid(def, name, causes)
  const present = store.get(def, object.metadata.namespace ?? '', name)
  if (present) throw refuse.alreadyExists(def, name, present.metadata.deletionTimestamp !== undefined)
  if (options.dryRun) return freezeJson(object)
  return inVersionOf(def, store.put(def, inVersionOf(kinds.storage(def), object)))
}

// A Pod that must not be scheduled yet says so from the start.
const showGates = (draft: Draft, lastTransitionTime: string): void => {
  const { schedulingGates = [] } = (draft['spec'] ?? {}) as { schedulingGates?: unknown[] }
  if (schedulingGates.length === 0) return
  const gated = {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  }
  draft['status'] = { ...(draft['status'] as object | undefined), conditions: [gated] }
}

const placeInNamespace = (core: Core, def: KindDef, draft: Draft, namespace: string | undefined): void => {
  const own = draft.metadata['namespace']
  if (!def.namespaced) {
    delete draft.metadata['namespace']
    return
  }
  if (own !== undefined && namespace !== undefined && own !== namespace) {
    throw refuse.badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  }
  const wanted = namespace ?? (own as string | undefined)
  if (wanted === undefined) throw refuse.badRequest('an empty namespace may not be set during creation')
  draft.metadata['namespace'] = wanted
  const found = core.store.get({ group: '', plural: 'namespaces' }, '', wanted)
  if (!found) throw refuse.notFound({ group: '', plural: 'namespaces' }, wanted)
  if (found.metadata.deletionTimestamp === undefined) return
  const name = (draft.metadata['name'] ?? draft.metadata['generateName'] ?? '') as string
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${wanted} is being terminated`,
    field: 'metadata.namespace',
  }
  const why = `unable to create new content in namespace ${wanted} because it is being terminated`
  throw refuse.forbidden(def, name, why, { causes: [cause] })
}

// Instances of a definition that is being deleted would never go away.
const isEnding = ({ store }: Core, def: KindDef): boolean => {
  if (def.builtIn) return false
  const crds = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' }
  return store.get(crds, '', `${def.plural}.${def.group}`)?.metadata.deletionTimestamp !== undefined
}

const nameDraft = ({ store, random }: Core, def: KindDef, draft: Draft): void => {
  const { name, generateName, namespace = '' } = draft.metadata
  if (name !== undefined) return
  if (generateName === undefined) {
    const message = 'Required value: name or generateName is required'
    throw refuse.invalid(def, '', [{ reason: 'FieldValueRequired', field: 'metadata.name', message }])
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    draft.metadata['name'] = generatedName(generateName as string, random)
    if (!store.get(def, namespace as string, draft.metadata['name'] as string)) return
  }
}

const stamp = ({ clock, random }: Core, def: KindDef, draft: Draft): void => {
  const { metadata } = draft
  for (const key of ['selfLink', 'deletionTimestamp', 'deletionGracePeriodSeconds']) delete metadata[key]
  metadata['uid'] = uuid(random)
  metadata['creationTimestamp'] = timeText(clock.now())
  if (def.generation !== 'none') metadata['generation'] = 1
}
