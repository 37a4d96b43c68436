// Label and field selectors; the refusals are those of a real API server (1.37).
import { test } from 'tap'
import { StatusError } from '../../src/apiserver/model.ts'
import { fieldMatcher, labelSelectorOf, parseLabelSelector } from '../../src/apiserver/selectors.ts'
import type { KubeObject } from '../../src/contract.ts'
import { kindOf } from './fixtures/read.ts'

const labels = { app: 'web', tier: 'front', n: '5', empty: '', in: 'x' }

// biome-ignore format: a table reads best as a table
const matching: readonly [selector: string, matches: boolean][] = [
  ['', true], ['app=web', true], ['app==web', true], ['app=db', false], ['app!=db', true], ['app!=web', false],
  ['missing!=x', true], ['missing=', false], ['empty=', true], ['empty', true], ['!missing', true], ['!app', false],
  ['app in (web,db)', true], ['app in (db)', false], ['app notin (db)', true], ['missing notin (db)', true],
  ['empty in ()', true], ['empty in (,x)', true], ['n>4', true], ['n>5', false], ['n<6', true], ['app>1', false],
  ['app=web,tier=front', true], ['app=web,tier=back', false], [' app = web , tier in ( front , back ) ', true],
  ['in=x', true], ['in in (x)', true], ['app in (in,notin,web)', true],
]

for (const [selector, matches] of matching) {
  test(`'${selector}' ${matches ? 'selects' : 'does not select'} the object`, async t => {
    t.equal(parseLabelSelector(selector)(labels), matches)
  })
}

test('an object without labels', async t => {
  t.ok(parseLabelSelector('!app')(undefined))
  t.notOk(parseLabelSelector('app')(undefined))
})

const unable = 'unable to parse requirement: '
// biome-ignore format: a table reads best as a table
const refusedLabels: readonly [selector: string, message: string][] = [
  ['a!!', `${unable}found '!', expected: in, notin, =, ==, !=, gt, lt`],
  ['a=!!', `${unable}found '!', expected: identifier`],
  ['a in b', `${unable}found 'b' expected: '('`],
  ['a in (b', `${unable}found '', expected: ',' or ')'`],
  ['!', `${unable}found '', expected: identifier`],
  ['a,,b', "found ',', expected: identifier after ','"],
  ['a=b=c', "found '=', expected: ',' or 'end of string'"],
  ['a>b', `${unable}values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`],
  [',', "found ',', expected: !, identifier, or 'end of string'"],
  ['-x=1', `${unable}<nil>: Invalid value: "-x": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`],
]

const pod = kindOf({ apiVersion: 'v1', kind: 'Pod' })
const configMap = kindOf({ apiVersion: 'v1', kind: 'ConfigMap' })
const job = kindOf({ apiVersion: 'batch/v1', kind: 'Job' })
const node = kindOf({ apiVersion: 'v1', kind: 'Node' })

const refusedBy = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return error
  }
}

for (const [selector, message] of refusedLabels) {
  test(`label selector '${selector}' is refused with its reason`, async t => {
    const error = refusedBy(() => parseLabelSelector(selector))
    t.ok(error instanceof StatusError)
    t.match(error, { code: 400, reason: 'BadRequest', message })
  })
}

// biome-ignore format: a table reads best as a table
const objects: readonly [name: string, selector: Parameters<typeof labelSelectorOf>[0], matches: boolean][] = [
  ['no selector selects nothing', undefined, false],
  ['null selects nothing', null, false],
  ['an empty one selects everything', {}, true],
  ['labels must all match', { matchLabels: { app: 'web', tier: 'back' } }, false],
  ['expressions and labels together', { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'n', operator: 'In', values: ['5'] }] }, true],
  ['NotIn holds for an absent label', { matchExpressions: [{ key: 'zz', operator: 'NotIn', values: ['5'] }] }, true],
  ['Exists', { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, true],
  ['DoesNotExist', { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, false],
]

for (const [name, selector, matches] of objects) {
  test(name, async t => {
    t.equal(labelSelectorOf(selector)(labels), matches)
  })
}

test('an unknown operator in a selector object is refused', async t => {
  const error = refusedBy(() => labelSelectorOf({ matchExpressions: [{ key: 'a', operator: 'Like' }] }))
  t.match(error, { code: 400, message: '"Like" is not a valid label selector operator' })
})

const object = (more: object): KubeObject =>
  ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'web', namespace: 'ns' }, ...more }) as KubeObject

const running = object({ spec: { nodeName: 'n1' }, status: { phase: 'Running' } })
// biome-ignore format: a table reads best as a table
const fields: readonly [name: string, matches: boolean, matcher: () => boolean][] = [
  ['a name', true, () => fieldMatcher(configMap, 'metadata.name=web')(object({}))],
  ['another name', false, () => fieldMatcher(configMap, 'metadata.name==db')(object({}))],
  ['a name and a namespace', true, () => fieldMatcher(configMap, 'metadata.name=web,metadata.namespace!=other')(object({}))],
  ['a phase', true, () => fieldMatcher(pod, 'status.phase=Running')(running)],
  ['not a phase', false, () => fieldMatcher(pod, 'status.phase!=Running')(running)],
  ['an absent field is the empty text', true, () => fieldMatcher(pod, 'status.podIP=')(running)],
  ['an unbound pod', false, () => fieldMatcher(pod, 'spec.nodeName=')(running)],
  ['an absent number is zero', true, () => fieldMatcher(job, 'status.successful=0')(object({}))],
  ['an absent switch is off', true, () => fieldMatcher(node, 'spec.unschedulable=false')(object({}))],
  ['an escaped comma', false, () => fieldMatcher(configMap, 'metadata.name=a\\,b')(object({}))],
  ['nothing at all', true, () => fieldMatcher(configMap, '')(object({}))],
]

for (const [name, matches, matcher] of fields) {
  test(`field selector: ${name}`, async t => {
    t.equal(matcher(), matches)
  })
}

// biome-ignore format: a table reads best as a table
const refusedFields: readonly [kind: typeof pod, selector: string, message: string][] = [
  [configMap, 'foo=1', '"foo" is not a known field selector: only "metadata.name", "metadata.namespace"'],
  [pod, 'foo=1', 'field label not supported: foo'],
  [configMap, 'metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
  [configMap, 'metadata.name=a=b', 'invalid field selector: unescaped character in value: 61'],
]

for (const [kind, selector, message] of refusedFields) {
  test(`field selector '${selector}' on ${kind.plural} is refused with its reason`, async t => {
    const error = refusedBy(() => fieldMatcher(kind, selector))
    t.ok(error instanceof StatusError)
    t.match(error, { code: 400, reason: 'BadRequest', message })
  })
}
