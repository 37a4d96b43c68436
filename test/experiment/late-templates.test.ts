// Templates and the experiment that needs them, applied in one go: the watches of several kinds are not in step, and what
// was made first may be told last.
import { test } from 'tap'
import type { Experiment } from '../../src/api/experiment.ts'
import type { KubeObject, Ref } from '../../src/contract.ts'
import { missingTemplates, withLateTemplates } from '../../src/experiment/late-templates.ts'
import { type ExperimentSeen, observeExperiment } from '../../src/experiment/observe.ts'
import type { Kube, Lookup } from '../../src/ports.ts'

const API = 'argoproj.io/v1alpha1'
const named = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: API,
  kind,
  metadata: { name, namespace: 'default', uid: name },
  spec,
})
const inner = named('AnalysisTemplate', 'inner', { metrics: [] })
const outer = named('AnalysisTemplate', 'outer', { templates: [{ templateName: 'inner' }] })
const wide = named('ClusterAnalysisTemplate', 'wide', { metrics: [] })

const experiment = (analyses: readonly object[], status: object = {}): Experiment =>
  ({ ...named('Experiment', 'ex', { templates: [], analyses }), status }) as Experiment

const keyOf = ({ kind, name }: Ref): string => `${kind}/${name}`

function reading(one: Experiment, told: readonly KubeObject[] = []): ExperimentSeen {
  const objects = [one, ...told]
  const cache = {
    get: (ref: Ref) => objects.find(o => keyOf({ ...o, name: o.metadata.name }) === keyOf(ref)),
    ownedBy: () => [],
  } as unknown as Lookup
  return observeExperiment({ namespace: 'default', name: 'ex' }, cache)!
}

/** An API server with these objects; counts what it is asked for. */
function server(objects: readonly KubeObject[], fault?: string) {
  const asked: string[] = []
  const get = async (ref: Ref): Promise<KubeObject> => {
    asked.push(keyOf(ref))
    const found = objects.find(o => keyOf({ ...o, name: o.metadata.name }) === keyOf(ref))
    if (fault === undefined && found) return found
    throw Object.assign(new Error('no'), { reason: fault ?? 'NotFound' })
  }
  return { asked, kube: { get } as unknown as Kube }
}

const names = (seen: ExperimentSeen): readonly string[] => missingTemplates(seen).map(keyOf)

test('what the watch has told of is not asked for', t => {
  const seen = reading(experiment([{ name: 'a', templateName: 'outer' }]), [outer, inner])
  t.same(names(seen), [])
  t.end()
})

test('templates that the API server has are there, and those that they need', async t => {
  const analyses = [
    { name: 'a', templateName: 'outer' },
    { name: 'b', templateName: 'wide', clusterScope: true },
  ]
  const seen = reading(experiment(analyses))
  t.same(names(seen), ['AnalysisTemplate/outer', 'ClusterAnalysisTemplate/wide'])
  const { asked, kube } = server([outer, inner, wide])
  const whole = await withLateTemplates(seen, missingTemplates(seen), kube)
  t.same(names(whole), [])
  t.same(asked, ['AnalysisTemplate/outer', 'ClusterAnalysisTemplate/wide', 'AnalysisTemplate/inner'])
})

test('what the API server does not have either stays missing, and is asked for once', async t => {
  const seen = reading(
    experiment([
      { name: 'a', templateName: 'outer' },
      { name: 'b', templateName: 'gone' },
    ]),
  )
  const { asked, kube } = server([outer])
  const whole = await withLateTemplates(seen, missingTemplates(seen), kube)
  t.same(names(whole), ['AnalysisTemplate/inner', 'AnalysisTemplate/gone'])
  t.same(asked, ['AnalysisTemplate/outer', 'AnalysisTemplate/gone', 'AnalysisTemplate/inner'])
})

test('an API server that cannot answer decides nothing', async t => {
  const seen = reading(experiment([{ name: 'a', templateName: 'outer' }]))
  await t.rejects(withLateTemplates(seen, missingTemplates(seen), server([], 'ServiceUnavailable').kube))
})

test('analyses that have begun or ended need no template any more', t => {
  const analyses = [
    { name: 'a', templateName: 'outer' },
    { name: 'b', templateName: 'gone' },
  ]
  const analysisRuns = [
    { name: 'a', analysisRun: 'ex-a', phase: 'Running' },
    { name: 'b', analysisRun: '', phase: 'Error' },
  ]
  t.same(names(reading(experiment(analyses, { analysisRuns }))), [])
  t.same(names(reading(experiment(analyses, { phase: 'Successful' }))), [], 'nor does an experiment that is over')
  t.end()
})
