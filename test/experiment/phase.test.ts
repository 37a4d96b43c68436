// What an experiment amounts to, from its templates and analyses.
import { test } from 'tap'
import type { Experiment, ExperimentStatus } from '../../src/api/experiment.ts'
import type { ExperimentSeen } from '../../src/experiment/observe.ts'
import { withPhase } from '../../src/experiment/phase.ts'

const NOON = Date.parse('2024-05-01T12:00:00Z')

type Analysis = Readonly<{ phase: string; required?: boolean; message?: string }>
type Case = Readonly<{
  from?: string
  templates: readonly string[]
  analyses?: readonly Analysis[]
  want: Readonly<{ phase: string; message?: string; availableAt?: string }>
}>

const running = { phase: 'Running', availableAt: '2024-05-01T12:00:00Z' }

const table: Readonly<Record<string, Case>> = {
  'the first look only says that it waits': { from: '', templates: ['Running'], want: { phase: 'Pending' } },
  'it waits for the last template': { templates: ['Running', 'Progressing'], want: { phase: 'Pending' } },
  'it begins when all run': { templates: ['Running', 'Running'], want: running },
  'a template that loses pods takes it back': {
    from: 'Running',
    templates: ['Progressing'],
    want: { phase: 'Pending' },
  },
  'the worst template decides': {
    templates: ['Error', 'Failed', 'Successful'],
    want: { phase: 'Failed', message: 'template 1 is Failed' },
  },
  'all are through': { templates: ['Successful', 'Successful'], want: { phase: 'Successful' } },
  'analyses that still run do not hold it': {
    templates: ['Successful'],
    analyses: [{ phase: 'Running' }],
    want: { phase: 'Successful' },
  },
  'a required one does': {
    templates: ['Successful'],
    analyses: [{ phase: 'Pending', required: true }],
    want: { phase: 'Running' },
  },
  'a bad analysis ends it': {
    templates: ['Running'],
    analyses: [{ phase: 'Successful' }, { phase: 'Inconclusive', message: 'who knows' }],
    want: { ...running, phase: 'Inconclusive', message: 'who knows' },
  },
  'all required ones end it, whatever else still runs': {
    templates: ['Running'],
    analyses: [{ phase: 'Successful', required: true }, { phase: 'Running' }],
    want: { ...running, phase: 'Successful', message: 'Required AnalysisRuns completed' },
  },
  'one of two required ones does not': {
    templates: ['Running'],
    analyses: [
      { phase: 'Successful', required: true },
      { phase: 'Running', required: true },
    ],
    want: running,
  },
  'a bad analysis beside the required one still counts': {
    templates: ['Running'],
    analyses: [
      { phase: 'Successful', required: true },
      { phase: 'Failed', message: 'too slow' },
    ],
    want: { ...running, phase: 'Failed', message: 'too slow' },
  },
  'an end is an end': { from: 'Failed', templates: ['Successful'], want: { phase: 'Failed' } },
}

const named = (i: number) => `t${i}`

for (const [name, { from = 'Pending', templates, analyses = [], want }] of Object.entries(table)) {
  test(name, async t => {
    const status: ExperimentStatus = {
      ...(from ? { phase: from } : {}),
      templateStatuses: templates.map((phase, i) => ({
        name: named(i),
        replicas: 0,
        updatedReplicas: 0,
        readyReplicas: 0,
        availableReplicas: 0,
        status: phase,
        ...(phase === 'Failed' ? { message: `template ${i} is Failed` } : {}),
      })),
      analysisRuns: analyses.map(({ required: _r, ...run }, i) => ({ name: named(i), analysisRun: named(i), ...run })),
    }
    const spec = {
      templates: templates.map((_, i) => ({ name: named(i) })),
      analyses: analyses.map(({ required }, i) => ({ name: named(i), requiredForCompletion: required === true })),
    }
    const experiment = { metadata: { name: 'ex' }, spec } as unknown as Experiment
    const seen = { experiment, status } as unknown as ExperimentSeen
    const { templateStatuses: _t, analysisRuns: _a, ...got } = withPhase(seen, status, NOON)
    t.same(got, want)
  })
}
