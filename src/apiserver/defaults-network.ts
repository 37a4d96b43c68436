// What the API server fills into Services, Endpoints and EndpointSlices; and the cluster addresses it gives.
// source: the defaults of core/v1, discovery/v1 and networking/v1.
import { fill, isTree, ownTree, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'

/** The nth cluster address, from 10.96.0.16 on (n = 0); never loopback. n up to 65,000. */
export const allocateClusterIP = (nth: number): string => `10.96.${(nth + 16) >>> 8}.${(nth + 16) & 255}`

function defaultFamilies(spec: Tree): void {
  if (spec['type'] === 'ExternalName') return
  // Headless without selector: whoever writes the endpoints may use either family.
  const isOpen = spec['clusterIP'] === 'None' && Object.keys(treeAt(spec, 'selector')).length === 0
  fill(spec, isOpen ? { ipFamilyPolicy: 'RequireDualStack' } : { ipFamilyPolicy: 'SingleStack' })
  const families = spec['ipFamilies']
  if (!Array.isArray(families) || families.length === 0) spec['ipFamilies'] = isOpen ? ['IPv4', 'IPv6'] : ['IPv4']
}

/** The defaults of a Service, without the cluster address and the node ports. */
export function defaultService(object: Tree): void {
  const spec = ownTree(object, 'spec')
  fill(spec, { sessionAffinity: 'None', type: 'ClusterIP' }, true)
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig']
  if (spec['sessionAffinity'] === 'ClientIP') {
    const config = ownTree(spec, 'sessionAffinityConfig')
    fill(ownTree(config, 'clientIP'), { timeoutSeconds: 10_800 })
  }
  for (const port of treesAt(spec, 'ports')) {
    fill(port, { protocol: 'TCP' }, true)
    fill(port, { targetPort: port['port'] }, true)
  }
  const isPublic = spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer'
  const hasExternalIPs = Array.isArray(spec['externalIPs']) && spec['externalIPs'].length > 0
  if (isPublic || (hasExternalIPs && spec['type'] === 'ClusterIP'))
    fill(spec, { externalTrafficPolicy: 'Cluster' }, true)
  if (spec['type'] !== 'ExternalName') fill(spec, { internalTrafficPolicy: 'Cluster' })
  if (spec['type'] === 'LoadBalancer') fill(spec, { allocateLoadBalancerNodePorts: true })
  defaultFamilies(spec)
  if (textAt(spec, 'clusterIP') !== '') fill(spec, { clusterIPs: [spec['clusterIP']] })
  for (const address of treesAt(treeAt(treeAt(object, 'status'), 'loadBalancer'), 'ingress'))
    if (spec['type'] === 'LoadBalancer' && textAt(address, 'ip') !== '') fill(address, { ipMode: 'VIP' })
}

/** The defaults of an Endpoints object. */
export function defaultEndpoints(object: Tree): void {
  for (const subset of treesAt(object, 'subsets'))
    for (const port of treesAt(subset, 'ports')) fill(port, { protocol: 'TCP' }, true)
}

/** The defaults of an EndpointSlice. */
export function defaultEndpointSlice(object: Tree): void {
  for (const port of treesAt(object, 'ports')) fill(port, { name: '', protocol: 'TCP' })
}

/** The defaults of an IngressClass. */
export function defaultIngressClass(object: Tree): void {
  const parameters = treeAt(object, 'spec')['parameters']
  if (isTree(parameters)) fill(parameters, { scope: 'Cluster' })
}
