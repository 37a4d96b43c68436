// The kinds of the core group.

import { podCauses } from '../api/rules/pod.ts'
import { ownTree } from '../api/rules/tree.ts'
import { builtIn } from './builtin.ts'
import {
  bindingColumns,
  configMapColumns,
  eventColumns,
  namespaceColumns,
  nodeColumns,
  plainColumns,
  podTemplateColumns,
  roleColumns,
  secretColumns,
} from './columns-core.ts'
import { endpointsColumns, serviceColumns } from './columns-network.ts'
import { podColumns } from './columns-pod.ts'
import { defaultBinding, defaultNamespace, defaultNode, defaultSecret } from './defaults-core.ts'
import { defaultEndpoints, defaultService } from './defaults-network.ts'
import { defaultPod, defaultTemplate } from './defaults-pod.ts'
import type { KindDef } from './model.ts'
import {
  bindingCauses,
  configMapCauses,
  eventCauses,
  nodeCauses,
  podTemplateCauses,
  roleCauses,
  secretCauses,
} from './rules-core.ts'
import { endpointsCauses } from './rules-endpoints.ts'
import { serviceCauses } from './rules-service.ts'

const all = ['all']

/** Fields that lists of Pods may be filtered by. */
const podFields = {
  'spec.nodeName': 'spec.nodeName',
  'spec.restartPolicy': 'spec.restartPolicy',
  'spec.schedulerName': 'spec.schedulerName',
  'spec.serviceAccountName': 'spec.serviceAccountName',
  'spec.hostNetwork': 'spec.hostNetwork',
  'status.phase': 'status.phase',
  'status.podIP': 'status.podIP',
  'status.nominatedNodeName': 'status.nominatedNodeName',
}

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']
const eventFields = {
  ...Object.fromEntries(involved.map(name => [`involvedObject.${name}`, `involvedObject.${name}`])),
  reason: 'reason',
  reportingComponent: 'reportingComponent',
  source: 'source.component',
  type: 'type',
}

export const coreKinds: readonly KindDef[] = [
  builtIn({
    in: 'v1',
    kind: 'Namespace',
    shortNames: ['ns'],
    namespaced: false,
    selectable: { 'status.phase': 'status.phase', name: 'metadata.name' },
    columns: namespaceColumns,
    defaults: defaultNamespace,
  }),
  builtIn({
    in: 'v1',
    kind: 'Pod',
    shortNames: ['po'],
    categories: all,
    generation: 'spec',
    selectable: podFields,
    columns: podColumns,
    defaults: defaultPod,
    causes: podCauses,
  }),
  builtIn({
    in: 'v1',
    kind: 'Service',
    shortNames: ['svc'],
    categories: all,
    selectable: { 'spec.clusterIP': 'spec.clusterIP', 'spec.type': 'spec.type' },
    columns: serviceColumns,
    defaults: defaultService,
    causes: serviceCauses,
  }),
  builtIn({
    in: 'v1',
    kind: 'Endpoints',
    plural: 'endpoints',
    shortNames: ['ep'],
    columns: endpointsColumns,
    defaults: defaultEndpoints,
    causes: endpointsCauses,
  }),
  builtIn({ in: 'v1', kind: 'ConfigMap', shortNames: ['cm'], columns: configMapColumns, causes: configMapCauses }),
  builtIn({
    in: 'v1',
    kind: 'Secret',
    selectable: { type: 'type' },
    columns: secretColumns,
    defaults: defaultSecret,
    causes: secretCauses,
  }),
  builtIn({ in: 'v1', kind: 'ServiceAccount', shortNames: ['sa'], columns: plainColumns }),
  builtIn({
    in: 'v1',
    kind: 'Event',
    shortNames: ['ev'],
    selectable: eventFields,
    columns: eventColumns,
    causes: eventCauses,
  }),
  builtIn({
    in: 'v1',
    kind: 'Node',
    shortNames: ['no'],
    namespaced: false,
    selectable: { 'spec.unschedulable': 'spec.unschedulable' },
    columns: nodeColumns,
    defaults: defaultNode,
    causes: nodeCauses,
  }),
  builtIn({
    in: 'v1',
    kind: 'PodTemplate',
    generation: 'content',
    columns: podTemplateColumns,
    defaults: object => defaultTemplate(ownTree(object, 'template')),
    causes: podTemplateCauses,
  }),
]

const rbac = 'rbac.authorization.k8s.io/v1'

/** Roles and their bindings: stored and shown, never enforced. */
export const rbacKinds: readonly KindDef[] = [
  builtIn({ in: rbac, kind: 'Role', columns: roleColumns, causes: roleCauses }),
  builtIn({ in: rbac, kind: 'ClusterRole', namespaced: false, columns: roleColumns, causes: roleCauses }),
  builtIn({ in: rbac, kind: 'RoleBinding', columns: bindingColumns, defaults: defaultBinding, causes: bindingCauses }),
  builtIn({
    in: rbac,
    kind: 'ClusterRoleBinding',
    columns: bindingColumns,
    namespaced: false,
    defaults: defaultBinding,
    causes: bindingCauses,
  }),
]
