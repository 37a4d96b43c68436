// The patches behind the verbs, as tables: what is sent, what is refused, what is said when there is nothing to do.
import { test } from 'tap'
import { planAbort } from '../../src/rollout/abort.ts'
import { planPause } from '../../src/rollout/pause.ts'
import { planPromote } from '../../src/rollout/promote.ts'
import { planRestart } from '../../src/rollout/restart.ts'
import { planRetry } from '../../src/rollout/retry.ts'
import { planSetImage } from '../../src/rollout/set-image.ts'
import { planUndo, type RevisionedSet } from '../../src/rollout/undo.ts'
import type { RolloutShape } from '../../src/rollout/verb.ts'

type Fields = Record<string, unknown>

const noon = Date.parse('2026-11-23T12:00:00.900Z')
const steps = [{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }]
const template = (image: string, labels: Record<string, string> = { app: 'web' }) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'web', image }], initContainers: [{ name: 'init', image: 'init:1' }] },
})

const rollout = (status: Fields, spec: Fields = {}): RolloutShape => ({
  metadata: { name: 'web', generation: 3 },
  spec: { strategy: { canary: { steps } }, template: template('web:2'), ...spec },
  status: { observedGeneration: '3', stableRS: 'old', currentPodHash: 'new', ...status },
})
const blueGreen = { strategy: { blueGreen: {} } }
const noSteps = { strategy: { canary: {} } }
const settled = { stableRS: 'new' }
const paused = { pauseConditions: [{ reason: 'CanaryPauseStep' }], controllerPause: true, currentStepIndex: 1 }
const doubtful = { ...paused, canary: { currentStepAnalysisRunStatus: { status: 'Inconclusive' } } }
const nothingNew = { note: 'nothing to promote: the current revision is the stable one' }
const nothingHeld = { note: 'nothing to promote: the rollout is not paused and waits for its pods or its analysis' }

// biome-ignore format: a table reads best as a table
const promotions: Record<string, [RolloutShape, Fields, Fields]> = {
  'a pause is ended by dropping its conditions, not controllerPause': [rollout(paused), {}, { status: { pauseConditions: null } }],
  'a blue-green pause is ended the same way': [rollout(paused, blueGreen), {}, { status: { pauseConditions: null } }],
  'without a pause the current step is left behind': [rollout({ currentStepIndex: 0 }), {}, { status: { pauseConditions: null, currentStepIndex: 1 } }],
  'an index that was never set counts as 0': [rollout({}), {}, { status: { pauseConditions: null, currentStepIndex: 1 } }],
  'the index never passes the end': [rollout({ currentStepIndex: 3 }), {}, nothingHeld],
  'an inconclusive analysis is passed over': [rollout(doubtful), {}, { status: { pauseConditions: null, controllerPause: false, currentStepIndex: 2 } }],
  'an inconclusive analysis that paused nothing is a step like others': [rollout({ ...doubtful, pauseConditions: [] }), {}, { status: { pauseConditions: null, currentStepIndex: 2 } }],
  'a pause by hand is lifted in the spec, and the step left behind': [rollout({ currentStepIndex: 0 }, { paused: true }), {}, { spec: { paused: false }, status: { pauseConditions: null, currentStepIndex: 1 } }],
  'a pause by hand of a settled rollout is lifted': [rollout({ ...settled, currentStepIndex: 3 }, { paused: true }), {}, { spec: { paused: false } }],
  'a settled rollout has nothing to promote': [rollout({ ...settled, currentStepIndex: 3 }), {}, nothingNew],
  'a settled blue-green rollout has nothing to promote': [rollout(settled, blueGreen), {}, nothingNew],
  'a canary without steps is only waited for': [rollout({}, noSteps), {}, nothingHeld],
  'while a full promotion is under way there is nothing more to ask for': [rollout({ promoteFull: true, currentStepIndex: 3 }), {}, { note: 'nothing to promote: a full promotion is under way' }],
  'full asks for promoteFull': [rollout(paused), { full: true }, { status: { promoteFull: true } }],
  'full lifts a pause by hand too': [rollout(paused, { paused: true }), { full: true }, { spec: { paused: false }, status: { promoteFull: true } }],
  'full of a settled rollout does nothing': [rollout(settled), { full: true }, nothingNew],
  'skipping the current step moves the index alone': [rollout(paused), { skipCurrentStep: true }, { status: { currentStepIndex: 2 } }],
  'skipping all steps moves the index to the end': [rollout(paused), { skipAllSteps: true }, { status: { currentStepIndex: 3 } }],
  'both skips at once are refused': [rollout(paused), { skipCurrentStep: true, skipAllSteps: true }, { problem: 'Cannot use skip-current-step and skip-all-steps flags at the same time' }],
  'blue-green has no steps to skip': [rollout(paused, blueGreen), { skipCurrentStep: true }, { problem: 'Cannot skip steps of a bluegreen rollout. Run without a flags' }],
  'no steps, nothing to skip': [rollout({}, noSteps), { skipAllSteps: true }, { problem: 'Cannot skip steps of a rollout without steps' }],
}

for (const [name, [object, options, plan]] of Object.entries(promotions)) {
  test(`promote: ${name}`, async t => {
    t.strictSame(planPromote(object, options), plan)
  })
}

const spec = (extra: Fields) => rollout({}, extra)
// biome-ignore format: a table reads best as a table
const others: Record<string, [unknown, unknown]> = {
  'abort of an update sets the flag': [planAbort(rollout({})), { status: { abort: true } }],
  'abort of an unobserved change sets the flag, although the hashes still agree': [planAbort(rollout({ ...settled, observedGeneration: '2' })), { status: { abort: true } }],
  'abort of an initial deployment sets the flag': [planAbort(rollout({ stableRS: '', currentPodHash: 'new' })), { status: { abort: true } }],
  'abort of a settled rollout would hit the next update': [planAbort(rollout(settled)), { note: 'nothing to abort: no update is in progress' }],
  'abort twice is once': [planAbort(rollout({ abort: true })), { note: 'nothing to abort: the update was aborted before' }],
  'retry drops the flag': [planRetry(rollout({ abort: true })), { status: { abort: false } }],
  'retry of what is not aborted does nothing': [planRetry(rollout({})), { note: 'nothing to retry: the rollout is not aborted' }],
  'pause is a field of the spec': [planPause(spec({})), { spec: { paused: true } }],
  'pause twice is once': [planPause(spec({ paused: true })), { note: 'nothing to pause: the rollout is paused already' }],
  'restart names the instant in whole seconds': [planRestart(noon), { spec: { restartAt: '2026-11-23T12:00:00Z' } }],
  'restart later': [planRestart(noon, 600_000), { spec: { restartAt: '2026-11-23T12:10:00Z' } }],
}

for (const [name, [plan, wanted]] of Object.entries(others)) {
  test(name, async t => {
    t.strictSame(plan, wanted)
  })
}

const set = (revision: string, image: string): RevisionedSet => ({
  metadata: { name: `web-${revision}`, annotations: { 'rollout.argoproj.io/revision': revision } },
  spec: { template: template(image, { app: 'web', 'rollouts-pod-template-hash': `h${revision}` }) },
})
const sets = [set('2', 'web:2'), set('10', 'web:4'), set('9', 'web:3')]
const back = (image: string, path = '/spec/template') => ({ patch: [{ op: 'replace', path, value: template(image) }] })
const podTemplate = { template: template('web:2') }
const probed = {
  ...set('2', 'web:2').spec.template,
  spec: { containers: [{ name: 'web', image: 'web:2', livenessProbe: { tcpSocket: { port: 80 } } }] },
}
/** The set of a stable version whose pods bear metadata of their own and a rule against those of others. */
const marked: RevisionedSet = {
  metadata: {
    name: 'web-7',
    annotations: {
      'rollout.argoproj.io/revision': '7',
      'rollout.argoproj.io/ephemeral-metadata': '{"annotations":{"side":"old"},"labels":{"app":"web","role":"stable"}}',
    },
  },
  spec: {
    template: {
      metadata: {
        labels: { app: 'web', role: 'stable', 'rollouts-pod-template-hash': 'h7' },
        annotations: { side: 'old', kept: 'yes' },
      },
      spec: {
        containers: [{ name: 'web', image: 'web:7' }],
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              {
                labelSelector: {
                  matchExpressions: [{ key: 'rollouts-pod-template-hash', operator: 'NotIn', values: ['h7'] }],
                },
                topologyKey: 'kubernetes.io/hostname',
              },
            ],
          },
        },
      },
    } as RevisionedSet['spec']['template'],
  },
}
const plain = {
  metadata: { labels: { app: 'web' }, annotations: { kept: 'yes' } },
  spec: { containers: [{ name: 'web', image: 'web:7' }] },
}

// biome-ignore format: a table reads best as a table
const undos: Record<string, [unknown, unknown]> = {
  'without a revision it is the one before the newest, by number': [planUndo(spec({}), sets), back('web:3')],
  'a revision is named, and the added label is dropped': [planUndo(spec({}), sets, 10), back('web:4')],
  'the current template is not written again': [planUndo(spec({}), sets, 2), { note: 'skipped rollback (current template already matches revision 2)' }],
  'a template that only lacks something differs': [planUndo(spec({}), [{ ...set('2', ''), spec: { template: probed } }], 2), { patch: [{ op: 'replace', path: '/spec/template', value: { ...probed, metadata: { labels: { app: 'web' } } } }] }],
  'what was injected into the template stays out, but for what the user writes too': [planUndo(spec({}), [marked], 7), { patch: [{ op: 'replace', path: '/spec/template', value: plain }] }],
  'an unknown revision is named': [planUndo(spec({}), sets, 99), { problem: 'unable to find specified revision 99 in history' }],
  'one revision is no history': [planUndo(spec({}), [set('1', 'web:1')]), { problem: 'no revision found for rollout "web"' }],
  'sets without a revision are no history': [planUndo(spec({}), [set('1', 'web:1'), set('x', 'web:0')]), { problem: 'no revision found for rollout "web"' }],
  'the template of a PodTemplate stands at the top': [planUndo(spec({ template: null }), sets, 9, podTemplate), back('web:3', '/template')],
}

for (const [name, [plan, wanted]] of Object.entries(undos)) {
  test(`undo: ${name}`, async t => {
    t.strictSame(plan, wanted)
  })
}

const change = (list: string, index: number, name: string, base = '/spec/template') => [
  { op: 'test', path: `${base}/spec/${list}/${index}/name`, value: name },
  { op: 'add', path: `${base}/spec/${list}/${index}/image`, value: 'web:9' },
]

// biome-ignore format: a table reads best as a table
const images: Record<string, [unknown, unknown]> = {
  'a container by name': [planSetImage(spec({}), 'web', 'web:9'), { patch: change('containers', 0, 'web') }],
  'an init container by name': [planSetImage(spec({}), 'init', 'web:9'), { patch: change('initContainers', 0, 'init') }],
  'all containers': [planSetImage(spec({}), '*', 'web:9'), { patch: [...change('initContainers', 0, 'init'), ...change('containers', 0, 'web')] }],
  'of a PodTemplate': [planSetImage(podTemplate, 'web', 'web:9'), { patch: change('containers', 0, 'web', '/template') }],
  'a name that is not there': [planSetImage(spec({}), 'wrong', 'web:9'), { problem: 'unable to find container named "wrong"' }],
}

for (const [name, [plan, wanted]] of Object.entries(images)) {
  test(`set image: ${name}`, async t => {
    t.strictSame(plan, wanted)
  })
}
