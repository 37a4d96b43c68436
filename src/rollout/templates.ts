// Analysis templates by the reference that a spec or another template has of them.
import type { AnalysisTemplate } from '../api/analysis.ts'
import type { KindRef, KubeObject, Ref } from '../contract.ts'

export const ANALYSIS_TEMPLATE: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisTemplate' }
export const CLUSTER_TEMPLATE: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'ClusterAnalysisTemplate' }

export type TemplateRef = Readonly<{ templateName?: string; clusterScope?: boolean | null }>

/** Where a reference to a template is followed: a namespace, and the reading of this pass. */
export type TemplateSource = Readonly<{ namespace: string; look(ref: Ref): KubeObject | undefined }>

/** Where the template of a reference is. */
export const refOfTemplate = (namespace: string, { templateName = '', clusterScope }: TemplateRef): Ref => ({
  ...(clusterScope ? CLUSTER_TEMPLATE : { ...ANALYSIS_TEMPLATE, namespace }),
  name: templateName,
})

/** The template as it is read in this pass; undefined when it is not there. */
export const templateOf = ({ namespace, look }: TemplateSource, ref: TemplateRef): AnalysisTemplate | undefined =>
  look(refOfTemplate(namespace, ref)) as AnalysisTemplate | undefined
