// A definition of a kind that this repository has no schema for, such as a mesh's: everything is accepted and kept.
import type { KindRef, KubeObject } from '../contract.ts'

/** The CustomResourceDefinition of a namespaced kind that takes any fields. */
export function looseCrd({ apiVersion, kind }: KindRef): KubeObject {
  const [group = '', version = ''] = apiVersion.split('/')
  const singular = kind.toLowerCase()
  const plural = singular.endsWith('s') ? `${singular}es` : `${singular}s`
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular, listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  }
}
