// Requests that change something: POST, PUT, PATCH and DELETE, on objects and their subresources.
import type { KubeObject } from '../contract.ts'
import { negotiate } from './accept.ts'
import type { FieldValidation, WriteOptions } from './core.ts'
import { createObject } from './create.ts'
import { decode } from './decode.ts'
import type { Deleted, DeleteOptions } from './delete.ts'
import { deleteObject } from './delete.ts'
import { evict } from './eviction.ts'
import type { Answer, Incoming } from './exchange.ts'
import { jsonAnswer } from './exchange.ts'
import { listObjects } from './list.ts'
import { listQuery } from './list-options.ts'
import type { Cause, KindDef } from './model.ts'
import { MEDIA_TYPES, type PatchType, patchObject, patchTypesOf } from './patch.ts'
import { refusal } from './refusal.ts'
import { invalid, methodNotAllowed, noSuchPath, unsupportedMediaType } from './refusals.ts'
import { lineOf, renderList, renderObject } from './rendering.ts'
import { mediaType, parse, readBody, readOptions } from './request-body.ts'
import { patchScale, updateScale } from './scale.ts'
import type { ApiServer } from './server.ts'
import { tableOptions } from './table-options.ts'
import { updateObject } from './update.ts'

/** What a path points at. */
export type Target = Readonly<{
  def: KindDef
  namespace: string | undefined
  name: string | undefined
  subresource: string | undefined
}>

type Place = Readonly<{ namespace: string; name: string }>
type Settings = WriteOptions & Readonly<{ warnings: readonly string[] }>

const unsupported = (field: string, value: unknown, values: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${values.map(v => JSON.stringify(v)).join(', ')}`,
})

// The options of a write; warnings gather in a list that becomes headers.
const settingsOf = (query: URLSearchParams, optionsKind: string): Settings => {
  const dryRun = query.getAll('dryRun').filter(value => value !== '')
  const validation = query.get('fieldValidation') ?? ''
  const causes: Cause[] = dryRun.every(value => value === 'All') ? [] : [unsupported('dryRun', dryRun, ['All'])]
  if (!['', 'Ignore', 'Strict', 'Warn'].includes(validation)) {
    causes.push(unsupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']))
  }
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind: optionsKind }, '', causes)
  const warnings: string[] = []
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: (validation || 'Warn') as FieldValidation,
    warn: text => void warnings.push(text),
    warnings,
  }
}

const warningHeaders = (warnings: readonly string[]): Record<string, string> => {
  if (warnings.length === 0) return {}
  const quoted = warnings.map(text => `299 - "${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)
  return { warning: quoted.join(', ') }
}

// What was warned of is said with a refusal, too.
const warning = (settings: Settings, write: () => Answer): Answer => {
  try {
    return write()
  } catch (error) {
    const { headers, ...rest } = refusal(error)
    return { ...rest, headers: { ...headers, ...warningHeaders(settings.warnings) } }
  }
}

const answer = (
  server: ApiServer,
  { def }: Target,
  incoming: Incoming,
  status: number,
  object: KubeObject,
  warnings: readonly string[] = [],
): Answer => {
  const headers = warningHeaders(warnings)
  if (object.kind === 'Scale') return jsonAnswer(status, lineOf(object), headers)
  const form = negotiate(incoming.accept)
  const body = renderObject(def, object, form, server.core.clock.now(), tableOptions(incoming.query))
  return jsonAnswer(status, body, { 'content-type': form.contentType, ...headers })
}

const placeOf = ({ def, namespace, name }: Target): Place => {
  if (name === undefined) throw methodNotAllowed()
  return { namespace: def.namespaced ? (namespace ?? '') : '', name }
}

/** POST on a collection, or on an eviction. */
export const post = (server: ApiServer, target: Target, incoming: Incoming): Answer => {
  if (target.subresource === 'eviction') return postEviction(server, target, incoming)
  const { def, namespace, name, subresource } = target
  if (name !== undefined || subresource !== undefined) throw methodNotAllowed()
  if (def.namespaced && namespace === undefined) throw methodNotAllowed()
  const settings = settingsOf(incoming.query, 'CreateOptions')
  const { value, duplicates } = readBody(incoming)
  return warning(settings, () => {
    const object = createObject(server.core, def, value, namespace, { ...settings, duplicates })
    return answer(server, target, incoming, 201, object, settings.warnings)
  })
}

// Kinds that a PUT may create, a habit from their early days.
const CREATED_BY_PUT = new Set(['Lease', 'Endpoints', 'Event', 'Service'])

/** PUT on an object, its status or its scale. */
export const put = (server: ApiServer, target: Target, incoming: Incoming): Answer => {
  const { def, subresource } = target
  const at = placeOf(target)
  const settings = settingsOf(incoming.query, 'UpdateOptions')
  const { value, duplicates } = readBody(incoming)
  const options = { ...settings, duplicates }
  const { core } = server
  if (subresource === 'scale') {
    return answer(
      server,
      target,
      incoming,
      200,
      updateScale(core, def, at, () => value, options),
    )
  }
  if (subresource === undefined && CREATED_BY_PUT.has(def.kind) && !core.store.get(def, at.namespace, at.name)) {
    return answer(server, target, incoming, 201, createObject(core, def, value, target.namespace, options))
  }
  const status = statusOf(target)
  return warning(settings, () => {
    // What is sent is read first, so that its faults are told even when there is nothing to replace.
    if (!core.store.get(def, at.namespace, at.name)) decode(def, value, options)
    const object = updateObject(core, def, at, () => value, status ? { ...options, subresource: status } : options)
    return answer(server, target, incoming, 200, object, settings.warnings)
  })
}

const statusOf = ({ def, subresource }: Target): 'status' | undefined => {
  if (subresource === undefined) return undefined
  if (subresource === 'status' && def.status) return 'status'
  throw subresource === 'status' || subresource === 'scale' ? noSuchPath() : methodNotAllowed()
}

const TYPES: Readonly<Record<string, PatchType>> = {
  [MEDIA_TYPES.json]: 'json',
  [MEDIA_TYPES.merge]: 'merge',
  [MEDIA_TYPES.strategic]: 'strategic',
}

const APPLY = 'application/apply-patch'

/** PATCH on an object, its status or its scale. Server-side apply is refused: half of it would mislead. */
export const patch = (server: ApiServer, target: Target, incoming: Incoming): Answer => {
  const { def, subresource } = target
  const at = placeOf(target)
  const sent = mediaType(incoming.contentType)
  const type = TYPES[sent]
  if (!type) {
    const hint = sent.startsWith(APPLY) ? 'server-side apply is not implemented by this server' : ''
    throw unsupportedMediaType(sent, patchTypesOf(def), hint)
  }
  const settings = settingsOf(incoming.query, 'PatchOptions')
  const { value, duplicates } = parse(incoming.body)
  const options = { ...settings, duplicates: type === 'json' ? [] : duplicates }
  if (subresource === 'scale') {
    return answer(server, target, incoming, 200, patchScale(server.core, def, at, type, value, options))
  }
  const status = statusOf(target)
  return warning(settings, () => {
    const of = status ? { ...options, subresource: status } : options
    const object = patchObject(server.core, def, at, type, value, of)
    return answer(server, target, incoming, 200, object, settings.warnings)
  })
}

const POLICIES = ['Background', 'Foreground', 'Orphan']

const deleteOptions = (query: URLSearchParams, body: Readonly<Record<string, unknown>>): DeleteOptions => {
  const given = <T>(name: string): T | undefined => (body[name] ?? query.get(name) ?? undefined) as T | undefined
  const dryRun = settingsOf(query, 'DeleteOptions').dryRun || ((body['dryRun'] ?? []) as unknown[]).includes('All')
  const orphan = given<boolean | string>('orphanDependents')
  const policy =
    given<string>('propagationPolicy') ??
    (orphan === undefined ? undefined : orphan === true || orphan === 'true' ? 'Orphan' : 'Background')
  if (policy !== undefined && !POLICIES.includes(policy)) {
    const causes = [unsupported('propagationPolicy', policy, [...POLICIES.slice(0, 2).reverse(), 'Orphan', 'nil'])]
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', causes)
  }
  const grace = given<number | string>('gracePeriodSeconds')
  return {
    dryRun,
    ...(grace === undefined ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === undefined ? {} : { propagationPolicy: policy as NonNullable<DeleteOptions['propagationPolicy']> }),
    ...(body['preconditions'] ? { preconditions: body['preconditions'] as { uid?: string } } : {}),
  }
}

// Kinds whose DELETE answers the object; the others answer a Status.
const ANSWERS_OBJECT = new Set(['Pod', 'Service', 'ServiceAccount'])

const deletedAnswer = (server: ApiServer, target: Target, incoming: Incoming, { object, gone }: Deleted): Answer => {
  const { def } = target
  if (!gone || (def.builtIn && ANSWERS_OBJECT.has(def.kind))) return answer(server, target, incoming, 200, object)
  const { name, uid } = object.metadata
  const details = { name, ...(def.group === '' ? {} : { group: def.group }), kind: def.plural, uid }
  return jsonAnswer(200, lineOf({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }))
}

/** DELETE on an object or on a collection. */
export const remove = (server: ApiServer, target: Target, incoming: Incoming): Answer => {
  const { def, namespace, name, subresource } = target
  if (subresource !== undefined) throw methodNotAllowed()
  const options = deleteOptions(incoming.query, readOptions(incoming))
  if (name !== undefined) {
    return deletedAnswer(server, target, incoming, deleteObject(server.core, def, placeOf(target), options))
  }
  if (def.namespaced && namespace === undefined) throw methodNotAllowed()
  const query = listQuery(def, incoming.query)
  const { objects, metadata } = listObjects(server.core, def, namespace, query)
  for (const object of objects) {
    const at = { namespace: object.metadata.namespace ?? '', name: object.metadata.name }
    // Removing one may have taken another along.
    if (server.core.store.get(def, at.namespace, at.name)) deleteObject(server.core, def, at, options)
  }
  const form = negotiate(incoming.accept)
  const table = tableOptions(incoming.query)
  const body = renderList(def, objects, form, server.core.clock.now(), metadata, table)
  return jsonAnswer(200, body, { 'content-type': form.contentType })
}

const postEviction = (server: ApiServer, target: Target, incoming: Incoming): Answer => {
  const { def } = target
  if (def.group !== '' || def.kind !== 'Pod') throw noSuchPath()
  const { deleteOptions: inner = {}, ...rest } = readOptions(incoming) as Record<string, Record<string, unknown>>
  const options = deleteOptions(incoming.query, { ...rest, ...inner })
  evict(server.core, def, placeOf(target), options)
  return jsonAnswer(201, lineOf({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }))
}
