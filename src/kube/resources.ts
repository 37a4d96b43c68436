// Kinds to REST paths: a table of the kinds we meet, whatever their version. Others are discovered.
import type { KindRef } from '../contract.ts'

export type Resource = Readonly<{ group: string; version: string; plural: string; namespaced: boolean }>

// Group -> `Kind=plural`; a leading `*` marks cluster-scoped kinds. Versions of one group share their plurals.
const TABLE: Readonly<Record<string, string>> = {
  '': `Pod=pods Service=services Endpoints=endpoints ConfigMap=configmaps Secret=secrets Event=events
    ServiceAccount=serviceaccounts ReplicationController=replicationcontrollers PodTemplate=podtemplates
    LimitRange=limitranges ResourceQuota=resourcequotas PersistentVolumeClaim=persistentvolumeclaims
    *Namespace=namespaces *Node=nodes *PersistentVolume=persistentvolumes`,
  apps: `Deployment=deployments ReplicaSet=replicasets StatefulSet=statefulsets DaemonSet=daemonsets
    ControllerRevision=controllerrevisions`,
  batch: 'Job=jobs CronJob=cronjobs',
  autoscaling: 'HorizontalPodAutoscaler=horizontalpodautoscalers',
  policy: 'PodDisruptionBudget=poddisruptionbudgets',
  'networking.k8s.io': 'Ingress=ingresses NetworkPolicy=networkpolicies *IngressClass=ingressclasses',
  'discovery.k8s.io': 'EndpointSlice=endpointslices',
  'coordination.k8s.io': 'Lease=leases',
  'events.k8s.io': 'Event=events',
  'rbac.authorization.k8s.io': `Role=roles RoleBinding=rolebindings *ClusterRole=clusterroles
    *ClusterRoleBinding=clusterrolebindings`,
  'authorization.k8s.io': `LocalSubjectAccessReview=localsubjectaccessreviews
    *SelfSubjectAccessReview=selfsubjectaccessreviews *SelfSubjectRulesReview=selfsubjectrulesreviews
    *SubjectAccessReview=subjectaccessreviews`,
  'authentication.k8s.io': '*TokenReview=tokenreviews *SelfSubjectReview=selfsubjectreviews',
  'apiextensions.k8s.io': '*CustomResourceDefinition=customresourcedefinitions',
  'scheduling.k8s.io': '*PriorityClass=priorityclasses',
  'storage.k8s.io': '*StorageClass=storageclasses',
  'argoproj.io': `Rollout=rollouts Experiment=experiments AnalysisRun=analysisruns
    AnalysisTemplate=analysistemplates *ClusterAnalysisTemplate=clusteranalysistemplates`,
  'networking.istio.io': `VirtualService=virtualservices DestinationRule=destinationrules Gateway=gateways
    ServiceEntry=serviceentries Sidecar=sidecars EnvoyFilter=envoyfilters`,
  'gateway.networking.k8s.io': `HTTPRoute=httproutes GRPCRoute=grpcroutes TCPRoute=tcproutes TLSRoute=tlsroutes
    UDPRoute=udproutes Gateway=gateways ReferenceGrant=referencegrants *GatewayClass=gatewayclasses`,
  'split.smi-spec.io': 'TrafficSplit=trafficsplits',
  'traefik.io': 'TraefikService=traefikservices IngressRoute=ingressroutes Middleware=middlewares',
  'traefik.containo.us': 'TraefikService=traefikservices IngressRoute=ingressroutes Middleware=middlewares',
  'apisix.apache.org': 'ApisixRoute=apisixroutes ApisixUpstream=apisixupstreams',
  'getambassador.io': 'Mapping=mappings TCPMapping=tcpmappings',
  'x.getambassador.io': 'AmbassadorMapping=ambassadormappings',
  'appmesh.k8s.aws':
    'VirtualService=virtualservices VirtualRouter=virtualrouters VirtualNode=virtualnodes *Mesh=meshes',
  'elbv2.k8s.aws': 'TargetGroupBinding=targetgroupbindings *IngressClassParams=ingressclassparams',
  'projectcontour.io': 'HTTPProxy=httpproxies',
  'route.openshift.io': 'Route=routes',
}

const parse = (row: string): ReadonlyMap<string, Omit<Resource, 'group' | 'version'>> =>
  new Map(
    row.split(/\s+/).map(entry => {
      const [kind = '', plural = ''] = entry.replace('*', '').split('=')
      return [kind, { plural, namespaced: !entry.startsWith('*') }]
    }),
  )

const KINDS: ReadonlyMap<string, ReadonlyMap<string, Omit<Resource, 'group' | 'version'>>> = new Map(
  Object.entries(TABLE).map(([group, row]) => [group, parse(row)]),
)

/** `apps/v1` -> group and version; `v1` is the core group, whose name is empty. */
export function groupVersion(apiVersion: string): Readonly<{ group: string; version: string }> {
  const slash = apiVersion.indexOf('/')
  if (slash < 0) return { group: '', version: apiVersion }
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** The resource of a kind in the table; undefined for kinds that only the server knows. */
export function resourceOf(kind: KindRef): Resource | undefined {
  const { group, version } = groupVersion(kind.apiVersion)
  const row = KINDS.get(group)?.get(kind.kind)
  return row && { group, version, ...row }
}

/** The path of a group and version: `/api/v1`, `/apis/apps/v1`. */
export const groupPath = ({ group, version }: Readonly<{ group: string; version: string }>): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`

/** The path of a collection, object or subresource. A missing namespace means all of them (collections only).
 * Raises an Error for an object without a name, which would otherwise address the whole collection. */
export function pathOf(resource: Resource, namespace?: string, name?: string, subresource?: string): string {
  if (name === '') throw new Error(`a name is needed to address one of ${resource.plural}`)
  if (name !== undefined && resource.namespaced && !namespace)
    throw new Error(`a namespace is needed to address ${resource.plural} "${name}"`)
  const parts = [groupPath(resource)]
  if (resource.namespaced && namespace) parts.push('namespaces', encodeURIComponent(namespace))
  parts.push(resource.plural)
  if (name !== undefined) parts.push(encodeURIComponent(name))
  if (subresource !== undefined) parts.push(subresource)
  return parts.join('/')
}

/** `pathOf` for kinds of the table; raises an Error for any other. */
export function resourcePath(kind: KindRef, namespace?: string, name?: string, subresource?: string): string {
  const resource = resourceOf(kind)
  if (!resource) throw new Error(`${kind.apiVersion} ${kind.kind} is in no table: ask discovery`)
  return pathOf(resource, namespace, name, subresource)
}
