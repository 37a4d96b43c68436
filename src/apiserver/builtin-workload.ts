// The kinds that run Pods, and those that watch over their number.
import { builtIn } from './builtin.ts'
import {
  autoscalerColumns,
  budgetColumns,
  deploymentColumns,
  jobColumns,
  replicaSetColumns,
} from './columns-workload.ts'
import { defaultAutoscaler, defaultDeployment, defaultJob, defaultReplicaSet } from './defaults-workload.ts'
import type { KindDef } from './model.ts'
import { autoscalerCauses, budgetCauses, deploymentCauses, jobCauses, replicaSetCauses } from './rules-workload.ts'

const all = ['all']
const scale = { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' }

export const workloadKinds: readonly KindDef[] = [
  builtIn({
    in: 'apps/v1',
    kind: 'Deployment',
    shortNames: ['deploy'],
    categories: all,
    scale,
    // Annotations count because the controller copies them to ReplicaSets.
    generation: 'spec-and-annotations',
    columns: deploymentColumns,
    defaults: defaultDeployment,
    causes: deploymentCauses,
  }),
  builtIn({
    in: 'apps/v1',
    kind: 'ReplicaSet',
    shortNames: ['rs'],
    categories: all,
    scale,
    generation: 'spec',
    selectable: { 'status.replicas': 'status.replicas' },
    columns: replicaSetColumns,
    defaults: defaultReplicaSet,
    causes: replicaSetCauses,
  }),
  builtIn({
    in: 'batch/v1',
    kind: 'Job',
    categories: all,
    generation: 'spec',
    selectable: { 'status.successful': 'status.succeeded' },
    columns: jobColumns,
    defaults: defaultJob,
    causes: jobCauses,
  }),
  builtIn({
    in: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    shortNames: ['hpa'],
    categories: all,
    generation: 'spec',
    columns: autoscalerColumns,
    defaults: defaultAutoscaler,
    causes: autoscalerCauses,
  }),
  builtIn({
    in: 'policy/v1',
    kind: 'PodDisruptionBudget',
    shortNames: ['pdb'],
    generation: 'spec',
    columns: budgetColumns,
    causes: budgetCauses,
  }),
]
