// What the API server fills into Namespaces, Secrets, Nodes and role bindings.
// source: the defaults of core/v1 and rbac.authorization.k8s.io/v1.
import { fill, isTree, ownTree, type Tree, textAt, treesAt } from '../api/rules/tree.ts'

/** The defaults of a Namespace: its phase, the label with its name, and the finalizer while it lives. */
export function defaultNamespace(object: Tree): void {
  const metadata = ownTree(object, 'metadata')
  const name = textAt(metadata, 'name')
  if (name !== '') ownTree(metadata, 'labels')['kubernetes.io/metadata.name'] = name
  // A Namespace on its way out loses its finalizer when it is empty; it must not come back.
  if (metadata['deletionTimestamp'] === undefined) fill(ownTree(object, 'spec'), { finalizers: ['kubernetes'] })
  fill(ownTree(object, 'status'), { phase: 'Active' }, true)
}

/** The defaults of a Secret; `stringData` is written into `data` and never shown. */
export function defaultSecret(object: Tree): void {
  fill(object, { type: 'Opaque' }, true)
  if (isTree(object['stringData'])) {
    const data = ownTree(object, 'data')
    for (const [key, value] of Object.entries(object['stringData']))
      data[key] = Buffer.from(String(value)).toString('base64')
  }
  delete object['stringData']
}

/** The defaults of a Node: all of its capacity may be used unless it says less. */
export function defaultNode(object: Tree): void {
  const status = ownTree(object, 'status')
  if (isTree(status['capacity'])) fill(status, { allocatable: status['capacity'] })
}

const rbac = 'rbac.authorization.k8s.io'

/** The defaults of a RoleBinding or ClusterRoleBinding. */
export function defaultBinding(object: Tree): void {
  if (isTree(object['roleRef'])) fill(object['roleRef'], { apiGroup: rbac }, true)
  for (const subject of treesAt(object, 'subjects'))
    if (subject['kind'] === 'User' || subject['kind'] === 'Group') fill(subject, { apiGroup: rbac }, true)
}
