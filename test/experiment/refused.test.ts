// Experiments that cannot be as their spec wants: what people read, and that everything else is cleaned up.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import { at, REPLICA_SET, replicaSet, service, world } from '../kit/world.ts'

const EXPERIMENT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Experiment' } as const

const template = (name: string, fields: object = {}, ports: readonly object[] = [{ containerPort: 8080 }]) => ({
  name,
  selector: { matchLabels: { run: name } },
  template: {
    metadata: { labels: { run: name } },
    spec: { containers: [{ name: 'app', image: 'example/app:v1', ports }] },
  },
  ...fields,
})

const experiment = (spec: object): KubeObject => ({ ...EXPERIMENT, metadata: { name: 'compare' }, spec })

const cases: Readonly<
  Record<string, { spec: object; beside?: readonly KubeObject[]; want: { phase: string; message: string } }>
> = {
  'a Service of that name belongs to somebody else': {
    spec: { templates: [template('a', { service: { name: 'shop' } }), template('b')] },
    beside: [service('shop')],
    want: {
      phase: 'Error',
      message: "Failed to create Service shop for template 'a': service shop already exists and is not ours",
    },
  },
  'a ReplicaSet of that name belongs to somebody else': {
    spec: { templates: [template('a')] },
    beside: [replicaSet('compare-a')],
    want: {
      phase: 'Error',
      message: "Failed to create ReplicaSet for template 'a': replicaset compare-a already exists and is not ours",
    },
  },
  'two templates want the same Service': {
    spec: { templates: [template('a', { service: { name: 'one' } }), template('b', { service: { name: 'one' } })] },
    want: {
      phase: 'Error',
      message: "Failed to create Service one for template 'b': service one already exists and is not ours",
    },
  },
  'the analysis template is not there': {
    spec: { templates: [template('a')], analyses: [{ name: 'errors', templateName: 'errors' }] },
    want: {
      phase: 'Error',
      message:
        'AnalysisTemplate verification failed for analysis \'errors\': analysistemplate.argoproj.io "errors" not found',
    },
  },
}

for (const [name, { spec, beside = [], want }] of Object.entries(cases)) {
  test(name, async t => {
    const w = await world(t, { crds: crds(), controller: product() })
    await w.apply([...beside, experiment({ scaleDownDelaySeconds: 0, ...spec })])
    await w.run(10)
    const live = w.get(EXPERIMENT, 'compare')
    t.same({ phase: at(live, 'status.phase'), message: at(live, 'status.message') }, want)
    const ours = w.list(REPLICA_SET, 'default').filter(rs => rs.metadata.ownerReferences)
    t.ok(
      ours.every(rs => at(rs, 'spec.replicas') === 0),
      'nothing is left running',
    )
  })
}

test('ports that no Service can have are told in the words of the API server', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  const ports = [{ containerPort: 8080 }, { containerPort: 9090 }]
  await w.apply(experiment({ templates: [template('a', { service: {} }, ports)] }))
  await w.run(10)
  const message = String(at(w.get(EXPERIMENT, 'compare'), 'status.message'))
  t.match(message, /^Failed to create Service compare-a for template 'a': Service "compare-a" is invalid: .*name/)
})

test('a spec that says nonsense is refused until it does not', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  await w.apply(experiment({ templates: [template('a'), template('a')] }))
  await w.run(1)
  const conditions = () => at(w.get(EXPERIMENT, 'compare'), 'status.conditions') as readonly Record<string, unknown>[]
  t.match(conditions(), [
    { type: 'InvalidSpec', status: 'True', message: "Experiment compare has repeated template name 'a' in templates" },
  ])
  t.equal(w.list(REPLICA_SET, 'default').length, 0, 'and nothing is made')
  w.server.patch({ ...EXPERIMENT, namespace: 'default', name: 'compare' }, 'merge', {
    spec: { templates: [template('a'), template('b')] },
  })
  await w.run(10)
  t.same(
    conditions().map(({ type, reason }) => [type, reason]),
    [['Progressing', 'NewReplicaSetAvailable']],
  )
})

test('retry starts a failed experiment again', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  await w.apply([service('shop'), experiment({ templates: [template('a', { service: { name: 'shop' } })] })])
  await w.run(10)
  t.equal(at(w.get(EXPERIMENT, 'compare'), 'status.phase'), 'Error')
  w.server.remove({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'shop' })
  // What `pintle retry experiment compare` writes.
  w.server.patch({ ...EXPERIMENT, namespace: 'default', name: 'compare' }, 'merge', { status: null })
  await w.run(10)
  const live = w.get(EXPERIMENT, 'compare')
  t.equal(at(live, 'status.phase'), 'Running')
  t.match(at(live, 'status.templateStatuses'), [{ status: 'Running', serviceName: 'shop', availableReplicas: 1 }])
})
