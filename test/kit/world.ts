// A virtual world for tests, and short builders of the objects that live in it.
import type { KubeObject } from '../../src/contract.ts'
import { createWorld, type World, type WorldOptions } from '../../src/sim/world.ts'

type Teardown = Readonly<{ teardown(run: () => Promise<void>): void }>

/** A world that is stopped when the test ends. */
export async function world(t: Teardown, options: WorldOptions = {}): Promise<World> {
  const made = await createWorld(options)
  t.teardown(() => made.stop())
  return made
}

export const POD = { apiVersion: 'v1', kind: 'Pod' } as const
export const REPLICA_SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet' } as const
export const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' } as const
export const JOB = { apiVersion: 'batch/v1', kind: 'Job' } as const
export const SLICE = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' } as const

type Fields = Readonly<Record<string, unknown>>

export const template = (container: Fields = {}, spec: Fields = {}, labels: Fields = {}): Fields => ({
  metadata: { labels: { app: 'web', ...labels } },
  spec: {
    containers: [{ name: 'web', image: 'example/web:v1', ports: [{ containerPort: 8080 }], ...container }],
    ...spec,
  },
})

export const replicaSet = (name: string, spec: Fields = {}): KubeObject => ({
  ...REPLICA_SET,
  metadata: { name },
  spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template(), ...spec },
})

export const pod = (
  name: string,
  spec: Fields = {},
  labels: Readonly<Record<string, string>> = { app: 'web' },
): KubeObject => ({
  ...POD,
  metadata: { name, labels },
  spec: { containers: [{ name: 'web', image: 'example/web:v1' }], ...spec },
})

export const service = (name: string, spec: Fields = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
})

/** A part of an object by its dotted path. */
export function at(object: KubeObject | undefined, path: string): unknown {
  let value: unknown = object
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key]
  return value
}
