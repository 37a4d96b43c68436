// The manifests under deploy/: what they start exists, and what they may read is what is read.
import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { parseAllDocuments } from 'yaml'
import router from '../adapters/traffic/proxy.ts'
import controller from '../src/cli/commands/controller.ts'
import proxy from '../src/cli/commands/proxy.ts'
import { kubeSource, type RouteCache } from '../src/proxy/source-kube.ts'

type Container = {
  args: string[]
  ports: { name: string }[]
  livenessProbe: { httpGet: { port: string } }
  readinessProbe: { httpGet: { port: string } }
}
type Found = {
  kind: string
  metadata: { name: string; namespace?: string }
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[]
  spec: { template: { spec: { terminationGracePeriodSeconds: number; containers: [Container] } } }
}

type SidecarPod = {
  metadata: { labels: Record<string, string> }
  spec: {
    serviceAccountName: string
    initContainers: [Omit<Container, 'ports'> & { restartPolicy: string; ports: [{ name: string }] }]
  }
}

const objectsIn = (file: string): Found[] =>
  parseAllDocuments(readFileSync(new URL(`../deploy/${file}`, import.meta.url), 'utf8')).map(d => d.toJS() as Found)

/** The flags that a command knows. */
function flagsOf(command: typeof proxy): string[] {
  const flags: string[] = []
  const recorder: unknown = new Proxy(
    {},
    {
      get: (_target, name) =>
        name === 'then'
          ? undefined
          : (first: unknown) => {
              if (typeof first === 'string') flags.push(...(first.match(/--[a-zA-Z-]+/g) ?? []))
              return recorder
            },
    },
  )
  command.options?.(recorder as never)
  return flags
}

test('the sidecar is started with flags that exist, on loopback, with the Role of the proxy, and is found by its Service', async t => {
  const objects = objectsIn('proxy/sidecar.yaml')
  const of = (kind: string) => objects.find(o => o.kind === kind)!
  const pod = of('Deployment').spec.template as unknown as SidecarPod
  const [container] = pod.spec.initContainers
  const known = [...flagsOf(proxy), '--namespace']
  for (const arg of container.args.slice(1)) t.ok(known.includes(arg.split('=')[0]!), arg)
  t.equal(container.restartPolicy, 'Always')
  t.ok(container.args.includes('--listen=127.0.0.1:8090'))
  const [{ name: port }] = container.ports
  t.equal(container.readinessProbe.httpGet.port, port)
  t.match(of('RoleBinding'), {
    roleRef: { name: objectsIn('proxy/proxy.yaml').find(o => o.kind === 'Role')!.metadata.name },
    subjects: [{ name: pod.spec.serviceAccountName }],
  })
  const service = of('Service') as unknown as { spec: { selector: Record<string, string> } }
  const { label, port: asked } = router.followers!
  t.match(service, { metadata: { labels: { [label]: 'true' } }, spec: { ports: [{ name: asked, targetPort: port }] } })
  t.match(pod.metadata.labels, service.spec.selector)
})

test('containers are started with flags that exist, and probed on ports that they open', async t => {
  for (const [file, command] of [
    ['install.yaml', controller],
    ['proxy/proxy.yaml', proxy],
  ] as const) {
    const deployment = objectsIn(file).find(o => o.kind === 'Deployment')
    const [container] = deployment!.spec.template.spec.containers
    // --namespace is for every command.
    const known = [...flagsOf(command), '--namespace']
    for (const arg of container.args.filter(a => a.startsWith('--')))
      t.ok(known.includes(arg.split('=')[0]!), `${file}: ${arg}`)
    const ports = container.ports.map(p => p.name)
    t.ok(ports.includes(container.livenessProbe.httpGet.port))
    t.ok(ports.includes(container.readinessProbe.httpGet.port))
  }
})

test('the proxy is given as long to leave as it may take', async t => {
  const deployment = objectsIn('proxy/proxy.yaml').find(o => o.kind === 'Deployment')
  const { containers, terminationGracePeriodSeconds } = deployment!.spec.template.spec
  const seconds = (flag: string) =>
    Number(/(\d+)s/.exec(containers[0].args.find(a => a.startsWith(flag)) ?? '')?.[1] ?? 0)
  t.ok(seconds('--grace') > 0)
  t.ok(terminationGracePeriodSeconds > seconds('--grace') + seconds('--drain-limit'))
})

test('the role of the proxy is exactly what it watches', async t => {
  const watched = new Set<string>()
  const cache = {
    watch: (kind: { apiVersion: string; kind: string }) => {
      watched.add(`${kind.apiVersion.split('/').slice(0, -1)} ${kind.kind.toLowerCase().replace(/s$/, 'se')}s`)
    },
    synced: async () => {},
    list: () => [],
    get: () => undefined,
    onChange: () => () => {},
  } as unknown as RouteCache
  const source = kubeSource({ cache, namespace: 'shop', ingress: { ingressClass: 'nginx' } })
  ;(await source.start({ table() {}, problems() {} }))()
  const role = objectsIn('proxy/proxy.yaml').find(o => o.kind === 'Role')
  const allowed = role!.rules!.flatMap(r => r.resources.map(resource => `${r.apiGroups[0]} ${resource}`))
  t.strictSame([...watched].sort(), allowed.sort())
  t.ok(role!.rules!.every(r => r.verbs.join() === 'get,list,watch'))
})

test('install.yaml holds the CRDs, the role and the namespace that they name', async t => {
  const objects = objectsIn('install.yaml')
  t.equal(objects.filter(o => o.kind === 'CustomResourceDefinition').length, 5)
  const [first] = objects
  t.match(first, { kind: 'Namespace', metadata: { name: 'pintle' } })
  for (const o of objects) if (o.metadata.namespace) t.equal(o.metadata.namespace, 'pintle', o.kind)
})
