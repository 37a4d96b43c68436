// The arguments of an analysis with what they take from the rollout put in (argo-behaviour 5.4).
import { goFloat } from '../analysis/expr/go-number.ts'
import type { RolloutAnalysis } from '../api/analysis-ref.ts'
import { goQuote } from '../api/go-quote.ts'
import { labelKeyFaults } from '../api/rules/names.ts'
import type { KubeObject } from '../contract.ts'

type Given = NonNullable<NonNullable<RolloutAnalysis['args']>[number]>
export type Argument = Readonly<{ name: string; value?: string }>
type Arguments = Readonly<{ args: readonly Argument[] } | { problem: string }>

/** The hashes of the two versions, where they have a ReplicaSet. */
export type Hashes = Readonly<{ stable?: string | undefined; latest?: string | undefined }>

/** A value, or why there is none. */
type Found = Readonly<{ value?: string | undefined; problem?: string | undefined }>

/** The arguments with their values, or why one cannot be had. argo: no value is an empty text; what is wrong with a field is
 * forgotten when a later one is found. */
export function argumentsFrom(
  rollout: KubeObject,
  hashes: Hashes,
  args: readonly Given[] | null | undefined,
): Arguments {
  const filled: Argument[] = []
  let problem: string | undefined
  for (const { name, value = '', valueFrom } of args ?? []) {
    const { podTemplateHashValue: hash, fieldRef } = valueFrom ?? {}
    let found: Found = { value }
    if (hash === 'Latest' || hash === 'Stable') found = { value: hash === 'Latest' ? hashes.latest : hashes.stable }
    else if (hash == null && fieldRef) {
      const isMetadata = fieldRef.fieldPath.startsWith('metadata')
      found = isMetadata ? metadataText(rollout, fieldRef.fieldPath) : fieldText(rollout, fieldRef.fieldPath)
      if (isMetadata && found.problem !== undefined) return { problem: found.problem }
      problem = found.problem
    }
    const text = found.problem === undefined ? found.value : ''
    filled.push(text === undefined ? { name } : { name, value: text })
  }
  return problem === undefined ? { args: filled } : { problem }
}

/** source: the field paths of Kubernetes' downward API. */
function metadataText({ metadata }: KubeObject, path: string): Found {
  const [, field, key = ''] = /^(.+?)\['(.*)'\]$/s.exec(path) ?? []
  if (field !== undefined) {
    if (field !== 'metadata.annotations' && field !== 'metadata.labels') {
      return { problem: `fieldPath ${goQuote(path)} does not support subscript` }
    }
    const isLabel = field === 'metadata.labels'
    const faults = labelKeyFaults(isLabel ? key : key.toLowerCase(), '1.34')
    if (faults.length > 0) return { problem: `invalid key subscript in ${path}: ${faults.join(';')}` }
    return { value: (isLabel ? metadata.labels : metadata.annotations)?.[key] ?? '' }
  }
  switch (path) {
    case 'metadata.annotations':
      return { value: mapText(metadata.annotations) }
    case 'metadata.labels':
      return { value: mapText(metadata.labels) }
    case 'metadata.name':
      return { value: metadata.name }
    case 'metadata.namespace':
      return { value: metadata.namespace ?? '' }
    case 'metadata.uid':
      return { value: metadata.uid ?? '' }
    default:
      return { problem: `unsupported fieldPath: ${path}` }
  }
}

const mapText = (map: Readonly<Record<string, string>> = {}): string =>
  Object.keys(map)
    .sort()
    .map(key => `${key}=${goQuote(map[key] ?? '')}`)
    .join('\n')

/** Objects whose members are the user's own names: nothing of them is left out. */
const MAPS = ['labels', 'annotations', 'matchLabels', 'nodeSelector']
/** Members that are written also when they are zero: where nothing and zero differ. */
const KEPT = new Set([
  ...[
    'replicas',
    'revisionHistoryLimit',
    'progressDeadlineSeconds',
    'maxSurge',
    'maxUnavailable',
    'setWeight',
    'weight',
  ],
  ...['previewReplicaCount', 'autoPromotionEnabled', 'scaleDownDelaySeconds', 'abortScaleDownDelaySeconds'],
  ...['scaleDownDelayRevisionLimit', 'minPodsPerReplicaSet', 'duration', 'percentage', 'currentStepIndex', 'message'],
  ...['collisionCount', 'terminationGracePeriodSeconds', 'activeDeadlineSeconds', 'runAsUser', 'runAsGroup', 'fsGroup'],
  ...['runAsNonRoot', 'privileged', 'allowPrivilegeEscalation', 'readOnlyRootFilesystem', 'enableServiceLinks'],
  ...['automountServiceAccountToken', 'shareProcessNamespace', 'optional', 'priority', 'defaultMode', 'containerPort'],
])

/** A primitive by its path: `spec.template.spec.containers[0].image`. argo: what is false, zero or empty is not there. */
function fieldText(rollout: KubeObject, path: string): Found {
  const invalid = { problem: `invalid path ${path} in rollout` }
  let value: unknown = rollout
  let parent = ''
  for (const section of path.split(/[.[\]]+/)) {
    if (section === '') continue
    if (Array.isArray(value)) {
      if (!/^[+-]?\d+$/.test(section)) return { problem: `invalid index '${section}'` }
      const index = Number(section)
      if (index < 0 || index >= value.length) return { problem: `index ${index} out of range` }
      value = value[index]
    } else if (typeof value === 'object' && value !== null) value = memberOf(value, section, parent)
    else return invalid
    parent = section
  }
  if (value === undefined || value === null) return invalid
  if (typeof value === 'object') return { problem: `path ${path} in rollout must terminate in a primitive value` }
  return { value: typeof value === 'number' ? goFloat(value) : String(value) }
}

function memberOf(object: object, name: string, parent: string): unknown {
  const value = Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined
  // Written also when there is nothing in it.
  const isHeld = parent === 'status' ? name === 'canary' || name === 'blueGreen' : parent === '' && name === 'status'
  if (isHeld) return value ?? {}
  const isZero = value === false || value === 0 || value === ''
  return isZero && !KEPT.has(name) && !MAPS.includes(parent) ? undefined : value
}
