// What the controller may do in a cluster: its ServiceAccount, ClusterRole and binding.
import type { PolicyRule } from '../src/contract.ts'

const NAME = 'pintle'
const NAMESPACE = 'pintle'

const READ = ['get', 'list', 'watch']
const OWN = [...READ, 'create', 'update', 'patch', 'delete']

const rule = (group: string, resources: string, verbs: readonly string[]): PolicyRule => ({
  apiGroups: [group],
  resources: resources.split(' '),
  verbs,
})

// argo: its shipped ClusterRole, less what only a router needs (the adapters ask for that), and with `get` for pods,
// without which the retry of a conflict on a pod's metadata fails.
const CORE: readonly PolicyRule[] = [
  rule('argoproj.io', 'rollouts rollouts/status rollouts/finalizers', [...READ, 'update', 'patch']),
  rule('argoproj.io', 'analysisruns analysisruns/finalizers experiments experiments/finalizers', OWN),
  rule('argoproj.io', 'analysistemplates clusteranalysistemplates', READ),
  rule('apps', 'replicasets', OWN),
  rule('apps', 'deployments', [...READ, 'update', 'patch']),
  rule('', 'podtemplates', READ),
  rule('', 'services', [...READ, 'patch', 'create', 'delete']),
  rule('', 'pods', [...READ, 'update', 'patch']),
  rule('', 'pods/eviction', ['create']),
  rule('', 'secrets configmaps', READ),
  rule('', 'events', ['create', 'update', 'patch']),
  rule('coordination.k8s.io', 'leases', ['create', 'get', 'update', 'patch']),
  rule('batch', 'jobs', OWN),
]

/** The objects of deploy/rbac/controller.yaml: one rule for each resource, with the verbs of all who ask for it. */
export function controllerAccess(adapters: readonly PolicyRule[]): object[] {
  const labels = { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/component': 'controller' }
  const rbac = 'rbac.authorization.k8s.io'
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: NAME, namespace: NAMESPACE, labels },
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: NAME, labels },
      rules: merged([...CORE, ...adapters]),
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: NAME, labels },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: NAME },
      subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }],
    },
    ...peoplesRoles(),
  ]
}

/** argo: whoever may view, edit or administer a namespace may do so with what is ours there; the cluster's own roles gather
 * these by their labels. */
function peoplesRoles(): object[] {
  const rbac = 'rbac.authorization.k8s.io'
  const ours = 'rollouts rollouts/scale experiments analysistemplates clusteranalysistemplates analysisruns'
  const all = [...OWN, 'deletecollection']
  const roles: readonly (readonly [name: string, PolicyRule])[] = [
    ['view', rule('argoproj.io', ours, READ)],
    ['edit', rule('argoproj.io', `${ours} rollouts/status`, all)],
    ['admin', rule('argoproj.io', `${ours} rollouts/status`, all)],
  ]
  return roles.map(([name, { apiGroups, resources, verbs }]) => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: {
      name: `${NAME}-aggregate-to-${name}`,
      labels: {
        [`${rbac}/aggregate-to-${name}`]: 'true',
        'app.kubernetes.io/name': NAME,
        'app.kubernetes.io/component': 'aggregate-cluster-role',
      },
    },
    rules: [{ apiGroups, resources: [...resources].sort(), verbs: [...verbs].sort() }],
  }))
}

function merged(rules: readonly PolicyRule[]): PolicyRule[] {
  const verbs = new Map<string, Set<string>>()
  for (const { apiGroups, resources, verbs: wanted } of rules) {
    for (const group of apiGroups) {
      for (const resource of resources) {
        const key = `${group}\n${resource}`
        verbs.set(key, new Set([...(verbs.get(key) ?? []), ...wanted]))
      }
    }
  }
  // Resources of one group with the same verbs share a rule.
  const shared = new Map<string, PolicyRule & { resources: string[] }>()
  for (const [key, set] of [...verbs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [group = '', resource = ''] = key.split('\n')
    const list = [...set].sort()
    const same = `${group} ${list}`
    const known = shared.get(same)
    if (known) known.resources.push(resource)
    else shared.set(same, { apiGroups: [group], resources: [resource], verbs: list })
  }
  return [...shared.values()]
}
