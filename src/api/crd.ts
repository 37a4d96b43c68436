// The CustomResourceDefinitions of the five kinds, made from the schemas; pure, so that every server can install them.
import * as z from 'zod'
import type { KubeObject } from '../contract.ts'
import { analysisRunSpec, analysisRunStatus, analysisTemplateSpec } from './analysis.ts'
import { experimentSpec, experimentStatus } from './experiment.ts'
import { podSchema, type Schema } from './pod-schema.ts'
import { EMBEDDED } from './pod-template.ts'
import { rolloutSpec } from './rollout.ts'
import { rolloutStatus } from './rollout-status.ts'

export const GROUP = 'argoproj.io'
export const VERSION = 'v1alpha1'

type Column = Readonly<{ name: string; type: string; jsonPath: string; description: string }>

type Kind = Readonly<{
  kind: string
  plural: string
  shortName: string
  cluster?: boolean
  spec: z.ZodType
  status?: z.ZodType
  columns: readonly Column[]
  subresources?: Schema
}>

const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was created',
}

const phase: Column = { name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'Phase' }

const count = (name: string, jsonPath: string, description: string): Column => ({
  name,
  type: 'integer',
  jsonPath,
  description,
})

const KINDS: readonly Kind[] = [
  {
    kind: 'Rollout',
    plural: 'rollouts',
    shortName: 'ro',
    spec: rolloutSpec,
    status: rolloutStatus,
    columns: [
      count('Desired', '.spec.replicas', 'Pods wanted'),
      count('Current', '.status.replicas', 'Pods that exist'),
      count('Up-to-date', '.status.updatedReplicas', 'Pods of the newest template'),
      count('Available', '.status.availableReplicas', 'Pods that are available'),
      age,
    ],
    subresources: {
      status: {},
      scale: {
        specReplicasPath: '.spec.replicas',
        statusReplicasPath: '.status.HPAReplicas',
        labelSelectorPath: '.status.selector',
      },
    },
  },
  {
    kind: 'AnalysisTemplate',
    plural: 'analysistemplates',
    shortName: 'at',
    spec: analysisTemplateSpec,
    columns: [age],
  },
  {
    kind: 'ClusterAnalysisTemplate',
    plural: 'clusteranalysistemplates',
    shortName: 'cat',
    cluster: true,
    spec: analysisTemplateSpec,
    columns: [age],
  },
  {
    kind: 'AnalysisRun',
    plural: 'analysisruns',
    shortName: 'ar',
    spec: analysisRunSpec,
    status: analysisRunStatus,
    columns: [phase, age],
  },
  {
    kind: 'Experiment',
    plural: 'experiments',
    shortName: 'exp',
    spec: experimentSpec,
    status: experimentStatus,
    columns: [phase, age],
  },
]

/** The definitions of Rollout, AnalysisTemplate, ClusterAnalysisTemplate, AnalysisRun and Experiment. */
export const crds = (): KubeObject[] => KINDS.map(definition)

function definition({ kind, plural, shortName, cluster, spec, status, columns, subresources }: Kind): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, shortNames: [shortName], singular: kind.toLowerCase() },
      scope: cluster ? 'Cluster' : 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: rootSchema(spec, status) },
          additionalPrinterColumns: columns,
          ...(subresources ? { subresources } : {}),
        },
      ],
    },
  }
}

const rootSchema = (spec: z.ZodType, status: z.ZodType | undefined): Schema => ({
  type: 'object',
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: schemaOf(spec),
    ...(status ? { status: schemaOf(status) } : {}),
  },
})

/** The structural schema of a zod schema. */
export const schemaOf = (schema: z.ZodType): Schema =>
  structural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as Schema)

const KEPT = [
  'description',
  'type',
  'format',
  'enum',
  'default',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
]

// Only what a structural schema may hold: a loose object is one without a word on other fields.
function structural(node: Schema): Schema {
  const embedded = node[EMBEDDED]
  if (typeof embedded === 'string') return podSchema(embedded)
  const result: Schema = {}
  for (const key of KEPT) if (node[key] !== undefined) result[key] = node[key]
  if (node['x-kubernetes-int-or-string'] === true) return { ...result, ...podSchema('intOrString') }
  if (Array.isArray(node['required'])) result['required'] = node['required'].toSorted()
  const { properties, items, additionalProperties } = node as { [key: string]: Schema | undefined }
  if (items) result['items'] = structural(items)
  if (properties && Object.keys(properties).length > 0) {
    const entries = Object.entries(properties).toSorted(([a], [b]) => (a < b ? -1 : 1))
    result['properties'] = Object.fromEntries(entries.map(([key, value]) => [key, structural(value as Schema)]))
  } else if (hasContent(additionalProperties)) result['additionalProperties'] = structural(additionalProperties)
  return result
}

const hasContent = (schema: Schema | undefined): schema is Schema =>
  typeof schema === 'object' && Object.keys(schema).length > 0
