// Analysis templates by the reference that a spec or another template has of them.
import type { AnalysisTemplate } from '../api/analysis.ts'
import type { KindRef } from '../contract.ts'
import type { Observed } from './observe.ts'

const ANALYSIS_TEMPLATE: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisTemplate' }
const CLUSTER_TEMPLATE: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'ClusterAnalysisTemplate' }

export type TemplateRef = Readonly<{ templateName?: string; clusterScope?: boolean | null }>

/** The template as it is read in this pass; undefined when it is not there. */
export function templateOf(
  seen: Observed,
  { templateName = '', clusterScope }: TemplateRef,
): AnalysisTemplate | undefined {
  const place = clusterScope
    ? CLUSTER_TEMPLATE
    : { ...ANALYSIS_TEMPLATE, namespace: seen.rollout.metadata.namespace ?? '' }
  return seen.look({ ...place, name: templateName }) as AnalysisTemplate | undefined
}
