// The history of objects in the terms of the stories: dotted fields that changed, conditions keyed by type.
import type { ObjectEvent } from '../apiserver/controllers/api.ts'
import type { KubeObject } from '../contract.ts'
import type { Entry } from './story.ts'

export type Fields = Readonly<Record<string, unknown>>

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** Fields that say nothing about what a controller decided. */
const LEFT_OUT = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'metadata.resourceVersion',
  'metadata.creationTimestamp',
  'metadata.managedFields',
  'metadata.generateName',
  'spec.template.spec',
  'spec.template.metadata.creationTimestamp',
  'status.duration',
])
const LEFT_OUT_KEYS = new Set(['lastTransitionTime', 'lastUpdateTime', 'lastProbeTime', 'startTime'])

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object as dotted fields. Times are `<time>`; owners are `Kind/name`; conditions are keyed by their type. */
export function fieldsOf(object: KubeObject): Fields {
  const fields: Record<string, unknown> = {}
  const { apiVersion: _version, kind, ...content } = object
  const walk = (value: unknown, path: string): void => {
    if (LEFT_OUT.has(path)) return
    if (kind === 'Rollout' && path === 'spec.template') return
    if (path === 'status.conditions' && Array.isArray(value)) {
      for (const { type, ...rest } of value as Record<string, unknown>[]) walk(rest, `${path}.${type}`)
      return
    }
    if (path === 'metadata.ownerReferences' && Array.isArray(value)) {
      value.forEach((owner, i) => {
        fields[`${path}.${i}`] = `${owner.kind}/${owner.name}`
      })
      return
    }
    const entries = Array.isArray(value) ? [...value.entries()] : isRecord(value) ? Object.entries(value) : []
    if (entries.length === 0) {
      fields[path] = typeof value === 'string' && TIME.test(value) ? '<time>' : value
      return
    }
    for (const [key, part] of entries)
      if (!LEFT_OUT_KEYS.has(`${key}`)) walk(part, path === '' ? `${key}` : `${path}.${key}`)
  }
  walk(content, '')
  return fields
}

/** The fields that differ; null for those that went away. Undefined: nothing does. */
export function changeOf(before: Fields, after: Fields): Fields | undefined {
  const set: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(after))
    if (JSON.stringify(before[path]) !== JSON.stringify(value)) set[path] = value
  for (const path of Object.keys(before)) if (!(path in after)) set[path] = null
  return Object.keys(set).length > 0 ? set : undefined
}

const TOLD = new Set([
  'Rollout',
  'AnalysisRun',
  'Experiment',
  'ReplicaSet',
  'Deployment',
  'Service',
  'Ingress',
  'VirtualService',
  'DestinationRule',
])

type EventObject = KubeObject &
  Readonly<{
    involvedObject?: Readonly<{ kind?: string; name?: string }>
    regarding?: Readonly<{ kind?: string; name?: string }>
    type?: string
    reason?: string
    message?: string
    count?: number
  }>

/** Turns what a watch tells into entries of a timeline; `t` is the time in seconds after the start. */
export function historian(add: (entry: Entry) => void): (event: ObjectEvent, t: number) => void {
  const seen = new Map<string, Fields>()
  return ({ type, object }, t) => {
    const { kind } = object
    if (kind === 'Event') {
      if (type === 'DELETED') return
      const { involvedObject = {}, type: level = '', reason = '', message = '', count = 1 } = object as EventObject
      const on = `${involvedObject.kind}/${involvedObject.name}`
      if (!['Rollout', 'AnalysisRun', 'Experiment'].includes(involvedObject.kind ?? '')) return
      add({ t, event: { on, type: level, reason, message, ...(count > 1 && { count }) } })
      return
    }
    if (!TOLD.has(kind)) return
    const on = `${kind}/${object.metadata.name}`
    if (type === 'DELETED') {
      seen.delete(on)
      add({ t, on, deleted: true })
      return
    }
    const before = seen.get(on)
    const after = fieldsOf(object)
    seen.set(on, after)
    const set = changeOf(before ?? {}, after)
    if (set) add({ t, on, ...(before ? {} : { created: true }), set })
  }
}
