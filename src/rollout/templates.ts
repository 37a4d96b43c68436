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

/** Templates with those that they name in turn, each once. argo: those of the cluster come last, wherever they are named. */
export type Gathered = Readonly<
  { templates: readonly AnalysisTemplate[] } | { missing: TemplateRef; isNested: boolean }
>

/** Follows references to templates, or says which is not there: the first, at whatever depth. */
export function gatherTemplates(from: TemplateSource, refs: readonly TemplateRef[] | null | undefined): Gathered {
  const own: AnalysisTemplate[] = []
  const ofCluster: AnalysisTemplate[] = []
  // A set of its own, since templates may name each other in a circle.
  const done = new Set<AnalysisTemplate>()
  const follow = (list: readonly TemplateRef[], isNested: boolean): Gathered | undefined => {
    for (const ref of list) {
      const template = templateOf(from, ref)
      if (!template) return { missing: ref, isNested }
      if (done.has(template)) continue
      done.add(template)
      ;(ref.clusterScope ? ofCluster : own).push(template)
      const fault = follow(template.spec.templates ?? [], true)
      if (fault) return fault
    }
    return undefined
  }
  return follow(refs ?? [], false) ?? { templates: [...own, ...ofCluster] }
}

/** What is said of a template that is not there. */
export const notFound = ({ templateName = '', clusterScope }: TemplateRef): string =>
  `${(clusterScope ? CLUSTER_TEMPLATE : ANALYSIS_TEMPLATE).kind} '${templateName}' not found`

/** The template as it is read in this pass; undefined when it is not there. */
export const templateOf = ({ namespace, look }: TemplateSource, ref: TemplateRef): AnalysisTemplate | undefined =>
  look(refOfTemplate(namespace, ref)) as AnalysisTemplate | undefined
