// CustomResourceDefinitions: their rules, what the server adds to them, and the kinds that they make.
import type { KubeObject } from '../contract.ts'
import type { Core, Draft } from './core.ts'
import { isKind, timeText } from './core.ts'
import { cloneJson } from './json-value.ts'
import type { Cause, Column, KindDef, ScaleRule } from './model.ts'
import { unsupportedRules } from './schema.ts'

type Json = Record<string, unknown>

type Names = {
  plural: string
  singular?: string
  kind: string
  listKind?: string
  shortNames?: string[]
  categories?: string[]
}

type PrinterColumn = {
  name: string
  type: Column['type']
  jsonPath: string
  format?: string
  description?: string
  priority?: number
}

type Version = {
  name: string
  served?: boolean
  storage?: boolean
  schema?: { openAPIV3Schema?: Json }
  subresources?: {
    status?: unknown
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  }
  additionalPrinterColumns?: PrinterColumn[]
  selectableFields?: { jsonPath: string }[]
}

export type CrdSpec = {
  group: string
  scope?: string
  names: Names
  versions: Version[]
  conversion?: { strategy?: string }
}

const specOf = (crd: KubeObject | Draft): CrdSpec => crd['spec'] as CrdSpec

/** Fills the names that follow from others, and a status that says that the kind is served. */
export const completeCrd = ({ clock }: Core, draft: Draft, old?: KubeObject): void => {
  const spec = specOf(draft)
  if (spec?.names?.kind === undefined || !Array.isArray(spec.versions)) return
  spec.names.singular ||= spec.names.kind.toLowerCase()
  spec.names.listKind ||= `${spec.names.kind}List`
  spec.conversion ??= { strategy: 'None' }
  const before = old?.['status'] as { conditions?: unknown[]; storedVersions?: string[] } | undefined
  const storage = spec.versions.find(version => version.storage)?.name
  const stored = before?.storedVersions ?? []
  draft['status'] = {
    ...before,
    acceptedNames: cloneJson(spec.names),
    storedVersions: storage === undefined || stored.includes(storage) ? stored : [...stored, storage],
    conditions: before?.conditions?.length ? before.conditions : accepted(timeText(clock.now())),
  }
}

const accepted = (lastTransitionTime: string): unknown[] => [
  { type: 'NamesAccepted', status: 'True', lastTransitionTime, reason: 'NoConflicts', message: 'no conflicts found' },
  {
    type: 'Established',
    status: 'True',
    lastTransitionTime,
    reason: 'InitialNamesAccepted',
    message: 'the initial names have been accepted',
  },
]

const required = (field: string, message = 'Required value'): Cause => ({
  reason: 'FieldValueRequired',
  field,
  message,
})
const wrong = (field: string, value: unknown, why: string): Cause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
})

/** What is wrong with a definition; nothing for objects of other kinds. */
export const crdCauses = (core: Core, def: KindDef, crd: KubeObject, old?: KubeObject): Cause[] => {
  if (!isKind(def, 'apiextensions.k8s.io', 'CustomResourceDefinition')) return []
  const spec = specOf(crd)
  if (!spec?.group || !spec.names?.plural || !spec.names.kind) {
    return (['group', 'names.plural', 'names.kind'] as const).map(key => required(`spec.${key}`))
  }
  const causes: Cause[] = []
  const name = `${spec.names.plural}.${spec.group}`
  if (crd.metadata.name !== name) {
    causes.push(wrong('metadata.name', crd.metadata.name, 'must be spec.names.plural+"."+spec.group'))
  }
  if (!spec.scope) causes.push(required('spec.scope'))
  else if (spec.scope !== 'Namespaced' && spec.scope !== 'Cluster') {
    const message = `Unsupported value: ${JSON.stringify(spec.scope ?? '')}: supported values: "Cluster", "Namespaced"`
    causes.push({ reason: 'FieldValueNotSupported', field: 'spec.scope', message })
  }
  const versions = spec.versions ?? []
  if (versions.filter(version => version.storage).length !== 1) {
    causes.push(
      wrong(
        'spec.versions',
        versions.map(v => v.name),
        'must have exactly one version marked as storage version',
      ),
    )
  }
  if (spec.conversion?.strategy !== undefined && spec.conversion.strategy !== 'None') {
    causes.push(wrong('spec.conversion.strategy', spec.conversion.strategy, 'this server converts with None only'))
  }
  causes.push(...versions.flatMap(versionCauses), ...clashes(core, crd, spec))
  if (old && specOf(old).scope !== spec.scope) causes.push(wrong('spec.scope', spec.scope, 'field is immutable'))
  if (old && specOf(old).names.kind !== spec.names.kind) {
    causes.push(wrong('spec.names.kind', spec.names.kind, 'field is immutable'))
  }
  return causes
}

const versionCauses = (version: Version, index: number): Cause[] => {
  const field = `spec.versions[${index}].schema.openAPIV3Schema`
  const schema = version.schema?.openAPIV3Schema
  if (!schema) return [required(field)]
  return unsupportedRules(schema).map(rule => wrong(field, rule, 'this server does not implement this rule'))
}

const clashes = ({ kinds }: Core, crd: KubeObject, { group, names }: CrdSpec): Cause[] =>
  kinds
    .all()
    .filter(def => def.group === group && `${def.plural}.${def.group}` !== crd.metadata.name)
    .filter(def => def.kind === names.kind || def.plural === names.plural)
    .slice(0, 1)
    .map(def => wrong('spec.names.kind', names.kind, `${def.plural}.${def.group} is of this kind already`))

/** The kinds that a definition makes: one for each served version, the storage version first. */
export const kindsOf = (crd: KubeObject): readonly KindDef[] => {
  const spec = specOf(crd)
  return spec.versions
    .filter(version => version.served !== false || version.storage)
    .sort((a, b) => Number(b.storage ?? false) - Number(a.storage ?? false))
    .map(version => kindOf(spec, version))
}

const columnOf = (column: PrinterColumn): Column => ({
  ...column,
  description: column.description || `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
  priority: column.priority ?? 0,
})

const AGE: Column = { name: 'Age', type: 'date', priority: 0, jsonPath: '.metadata.creationTimestamp' }

const kindOf = (spec: CrdSpec, version: Version): KindDef => {
  const { names } = spec
  const { status, scale } = version.subresources ?? {}
  const schema = version.schema?.openAPIV3Schema
  return {
    group: spec.group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
    builtIn: false,
    status: status !== undefined,
    ...(scale ? { scale: scaleRule(scale) } : {}),
    generation: 'content',
    columns: version.additionalPrinterColumns?.map(columnOf) ?? [AGE],
    selectable: Object.fromEntries(
      (version.selectableFields ?? []).map(({ jsonPath }) => [
        jsonPath.replace(/^\./, ''),
        jsonPath.replace(/^\./, ''),
      ]),
    ),
    ...(schema ? { schema } : {}),
  }
}

const scaleRule = (scale: NonNullable<NonNullable<Version['subresources']>['scale']>): ScaleRule => ({
  specReplicas: scale.specReplicasPath,
  statusReplicas: scale.statusReplicasPath,
  ...(scale.labelSelectorPath === undefined ? {} : { selector: scale.labelSelectorPath }),
})

/** Keeps the table of kinds in step with the stored definitions. */
export const serveCrds = ({ store, kinds }: Core): void => {
  store.onChange(({ type, object, previous }, resource) => {
    if (resource.plural !== 'customresourcedefinitions' || resource.group !== 'apiextensions.k8s.io') return
    const { group, names } = specOf(object)
    if (type === 'DELETED') return kinds.remove(group, names.plural)
    if (previous && previous['spec'] === object['spec']) return
    const [storage, ...others] = kindsOf(object)
    if (storage) kinds.add([storage, ...others])
  })
}
