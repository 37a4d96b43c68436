// The kinds around traffic, leases and definitions.
import { builtIn } from './builtin.ts'
import {
  definitionColumns,
  endpointSliceColumns,
  ingressClassColumns,
  ingressColumns,
  leaseColumns,
} from './columns-network.ts'
import { defaultEndpointSlice, defaultIngressClass } from './defaults-network.ts'
import type { KindDef } from './model.ts'
import { leaseCauses } from './rules-core.ts'
import { endpointSliceCauses } from './rules-endpoints.ts'
import { ingressCauses, ingressClassCauses } from './rules-ingress.ts'

export const networkKinds: readonly KindDef[] = [
  builtIn({
    in: 'networking.k8s.io/v1',
    kind: 'Ingress',
    plural: 'ingresses',
    shortNames: ['ing'],
    generation: 'spec',
    columns: ingressColumns,
    causes: ingressCauses,
  }),
  builtIn({
    in: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    plural: 'ingressclasses',
    namespaced: false,
    generation: 'spec',
    columns: ingressClassColumns,
    defaults: defaultIngressClass,
    causes: ingressClassCauses,
  }),
  builtIn({
    in: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    generation: 'content',
    columns: endpointSliceColumns,
    defaults: defaultEndpointSlice,
    causes: endpointSliceCauses,
  }),
]

export const otherKinds: readonly KindDef[] = [
  builtIn({ in: 'coordination.k8s.io/v1', kind: 'Lease', columns: leaseColumns, causes: leaseCauses }),
  builtIn({
    in: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    namespaced: false,
    generation: 'spec',
    columns: definitionColumns,
  }),
]
