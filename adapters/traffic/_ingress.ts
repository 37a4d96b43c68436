// What the adapters for Ingress objects share: names, references, and the copy that leads to the canary.
import type { KubeObject, Ref } from '#contract'

/** A JSON object whose members are not looked at. */
export type Fields = Readonly<Record<string, unknown>>

/** The part of networking.k8s.io/v1 that the adapters read; the rest of an object is passed through. */
export type Ingress = Readonly<{
  name: string
  annotations: Readonly<Record<string, string>>
  labels: unknown
  spec: Fields
  rules: readonly Fields[]
}>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {})

const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : [])

/** The reference to an Ingress. */
export const ingressRef = (namespace: string, name: string): Ref => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  namespace,
  name,
})

/** The name of a rollout's canary Ingress beside a stable one, at most 253 characters.
 * argo: the stem is cut without a mark, so two long names may meet. */
export const canaryName = (rollout: string, stable: string): string => `${`${rollout}-${stable}`.slice(0, 246)}-canary`

/** Reads an Ingress. */
export function readIngress(object: KubeObject): Ingress {
  const { name, annotations = {}, labels } = object.metadata
  const spec = fieldsOf(object['spec'])
  return { name, annotations, labels, spec, rules: listOf(spec['rules']) }
}

/** The paths of a rule. */
export const pathsOf = (rule: Fields): readonly Fields[] => listOf(fieldsOf(rule['http'])['paths'])

/** A rule with other paths. */
export const withPaths = (rule: Fields, paths: readonly Fields[]): Fields => ({
  ...rule,
  http: { ...fieldsOf(rule['http']), paths },
})

/** The Service that a path leads to, '' when it leads elsewhere. */
export const serviceOf = (path: Fields): string => {
  const { name } = fieldsOf(fieldsOf(path['backend'])['service'])
  return typeof name === 'string' ? name : ''
}

/** The rules in which some path leads to `from`, with those paths leading to `to`.
 * argo: other paths of such a rule come along as they are. */
export function redirected(rules: readonly Fields[], from: string, to: string): readonly Fields[] {
  return rules.flatMap(rule => {
    const paths = pathsOf(rule)
    if (!paths.some(path => serviceOf(path) === from)) return []
    const moved = paths.map(path => (serviceOf(path) === from ? withService(path, to) : path))
    return [withPaths(rule, moved)]
  })
}

function withService(path: Fields, name: string): Fields {
  const backend = fieldsOf(path['backend'])
  return { ...path, backend: { ...backend, service: { ...fieldsOf(backend['service']), name } } }
}

/** Whether an object is controlled by the owner of this uid. */
export const isControlledBy = (object: KubeObject, uid: string): boolean =>
  (object.metadata.ownerReferences ?? []).find(owner => owner.controller)?.uid === uid
