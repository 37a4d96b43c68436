// The demo's proxies, as they are on a cluster: with a Service through which the controller finds and asks each of them.
import type { ApiServer } from '../apiserver/server.ts'
import type { Fetch } from '../ports.ts'
import type { RunningProxy } from '../proxy/start.ts'
import { dialAddress } from './dial.ts'
import { applyTo } from './world.ts'

/** What loopback is called inside the cluster: no API server takes 127.0.0.1 as an endpoint. */
const ADDRESS = '10.0.0.1'
const NAME = 'pintle-proxy-admin'

/** Writes down where the admin port of each proxy is, as the controllers of a cluster would. */
export function publishProxies(server: ApiServer, namespace: string, proxies: readonly RunningProxy[]): void {
  const labels = { 'pintle.dev/proxy': 'true' }
  const ports = [{ name: 'admin', port: 9180, protocol: 'TCP' }]
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: NAME, labels },
    spec: { clusterIP: 'None', ports },
  }
  applyTo(server, service, namespace)
  for (const [i, { adminUrl }] of proxies.entries()) {
    const port = Number(new URL(adminUrl).port)
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${NAME}-${i}`, labels: { ...labels, 'kubernetes.io/service-name': NAME } },
      addressType: 'IPv4',
      ports: [{ name: 'admin', port, protocol: 'TCP' }],
      endpoints: [{ addresses: [ADDRESS], conditions: { ready: true } }],
    }
    applyTo(server, slice, namespace)
  }
}

/** A way out that knows where the simulated cluster's addresses really are. */
export function mappedFetch(fetch: Fetch): Fetch {
  return (request, signal) => {
    const url = new URL(request.url)
    const given = Number(url.port || 80)
    // Proxies are no Pods: their ports are as they say.
    const { host, port } =
      url.hostname === ADDRESS ? { host: '127.0.0.1', port: given } : dialAddress(url.hostname, given)
    if (host === url.hostname) return fetch(request, signal)
    url.hostname = host
    url.port = `${port}`
    return fetch({ ...request, url: url.href }, signal)
  }
}
