// Sets a server up for scenarios, and takes everything away again.
import type { Transport } from '../../../src/ports.ts'

type Named = Readonly<{ metadata: Readonly<{ name: string }> }>

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const moment = () => new Promise(resolve => setTimeout(resolve, 50))

export type Cluster = Readonly<{
  define(definitions: readonly Named[]): Promise<void>
  /** A new, empty namespace. */
  namespace(): Promise<string>
  clear(): Promise<void>
}>

export const cluster = (transport: Transport): Cluster => {
  const namespaces: string[] = []
  const defined: string[] = []
  const run = Math.random().toString(36).slice(2, 8)
  const call = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) =>
    transport.request({
      method,
      path,
      ...(body === undefined ? {} : { body: JSON.stringify(body), contentType: 'application/json' }),
    })
  const until = async (path: string, status: number) => {
    for (let tries = 0; tries < 400; tries += 1) {
      if ((await call('GET', path)).status === status) return
      await moment()
    }
    throw new Error(`${path} does not answer ${status}`)
  }
  const release = async (path: string) => {
    const { items } = JSON.parse((await call('GET', path)).body) as { items: Named[] }
    for (const { metadata } of items) {
      const target = { path: `${path}/${metadata.name}` }
      const body = JSON.stringify({ metadata: { finalizers: null } })
      await transport.request({ method: 'PATCH', ...target, body, contentType: 'application/merge-patch+json' })
      await transport.request({ method: 'DELETE', ...target, query: { gracePeriodSeconds: 0 } })
    }
  }
  return {
    async define(definitions) {
      for (const definition of definitions) {
        const { name } = definition.metadata
        const { status, body } = await call('POST', CRDS, definition)
        if (status !== 201) throw new Error(`cannot define ${name}: ${body}`)
        defined.push(name)
        const [plural, ...group] = name.split('.')
        await until(`/apis/${group.join('.')}/v1/${plural}`, 200)
      }
    },
    async namespace() {
      const name = `conformance-${run}-${namespaces.length}`
      const { status, body } = await call('POST', '/api/v1/namespaces', { metadata: { name } })
      if (status !== 201) throw new Error(`cannot create ${name}: ${body}`)
      namespaces.push(name)
      return name
    },
    async clear() {
      // Nobody else takes finalizers away, and no kubelet ends Pods.
      for (const ns of namespaces) {
        const paths = defined.map(name => `/apis/conformance.pintle.dev/v1/namespaces/${ns}/${name.split('.')[0]}`)
        for (const path of [...paths, `/api/v1/namespaces/${ns}/pods`]) await release(path)
      }
      for (const name of namespaces) await call('DELETE', `/api/v1/namespaces/${name}`)
      for (const name of defined) await call('DELETE', `${CRDS}/${name}`)
      for (const name of defined) await until(`${CRDS}/${name}`, 404)
    },
  }
}
