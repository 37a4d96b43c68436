import { test } from 'tap'
import { parseLossless } from '../../src/rollout/lossless-json.ts'
import { podTemplateHash } from '../../src/rollout/pod-hash.ts'
import { canonicalQuantity, thousandths } from '../../src/rollout/quantity.ts'
import { stepHash } from '../../src/rollout/step-hash.ts'

/** A template whose hash the reference's own end-to-end tests write down. */
const known = (app: string, more: object = {}) => ({
  metadata: { labels: { app } },
  spec: {
    containers: [
      {
        name: app,
        image: 'nginx:1.19-alpine',
        ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
        resources: { requests: { memory: '16Mi', cpu: '5m' } },
      },
    ],
    ...more,
  },
})

test('the pod hashes of the reference are ours', async t => {
  t.equal(podTemplateHash(known('canary-scaledowndelay')), '674d8cf959')
  const gate = { readinessGates: [{ conditionType: 'argoproj.io/e2e-readiness' }] }
  t.equal(podTemplateHash(known('dynamic-stable-scale', gate)), '6b56c8cdb4')
})

test('the step hashes of the reference are ours', async t => {
  t.equal(stepHash({ canary: {} }), '5ffbfbbd64')
  t.equal(stepHash({ canary: { steps: [{ pause: {} }] } }), '6b9b86fbd5')
  t.equal(stepHash({ canary: { steps: [{ pause: {} }, { pause: {} }] } }), '79c9b9f6bf')
  t.equal(stepHash({ blueGreen: { activeService: 'a' } }), '')
})

test('hashing leaves its input alone and does not care for key order', async t => {
  const { metadata, spec } = known('a')
  const turned = Object.freeze({ spec: Object.freeze(spec), metadata: Object.freeze(metadata) })
  t.equal(podTemplateHash(turned), podTemplateHash(known('a')))
})

test('a collision count of zero is not the same as none', async t => {
  t.not(podTemplateHash(known('a'), 0), podTemplateHash(known('a')))
})

/** Templates with what is rare, and the reference's hashes. */
const rare: Readonly<Record<string, readonly [hash: string, template: string]>> = {
  'keys in the order of their UTF-8, not of their code units': [
    '787d495486',
    '{"metadata":{"annotations":{"😀":"1","ｆ":"2"}},"spec":{"containers":[{"name":"a"}]}}',
  ],
  'the largest integer of 64 bits where 32 are wanted': [
    '6b554d6b8d',
    '{"spec":{"containers":[{"name":"a","ports":[{"containerPort":9223372036854775807}]}]}}',
  ],
  'integers beyond 64 bits': [
    '76c59dcbd6',
    '{"spec":{"containers":[{"name":"a","ports":[{"containerPort":9223372036854775808}]}],"terminationGracePeriodSeconds":1e19}}',
  ],
}

for (const [name, [hash, template]] of Object.entries(rare)) {
  test(`hash of ${name}`, async t => {
    t.equal(podTemplateHash(parseLossless(template)), hash)
  })
}

test('the lossless reader keeps what JSON.parse loses', async t => {
  const read = parseLossless('{"big":9007199254740993,"huge":1e30,"n":3.0,"__proto__":{"a":1}}') as Record<
    string,
    unknown
  >
  t.equal(read['big'], 9007199254740993n)
  t.equal(read['huge'], 1e30)
  t.equal(read['n'], 3)
  t.ok(Object.hasOwn(read, '__proto__'), '__proto__ is a key like any other')
})

// biome-ignore format: a table reads best as a table
const quantities: Record<string, string | undefined> = {
  '1000m': '1', '0.5': '500m', '1024Mi': '1Gi', '1.5Gi': '1536Mi', '0.1': '100m', '1e3': '1e3', '1024': '1024',
  '1000': '1k', '0': '0', '-0': '0', '+1': '+1', '0.1Gi': '107374182400m', '1000E': '1', '1n': '1n', '0.1n': '1n',
  '-0.1n': '-1n', '9Ei': '9223372036854775807', '1e': undefined, '': undefined, '1 ': undefined, 'Ki': '0', 'Pi': undefined,
}

test('quantities have one canonical text', async t => {
  for (const [text, canonical] of Object.entries(quantities)) {
    const got = canonicalQuantity(text)
    t.equal(got, canonical, text)
    if (got !== undefined) t.equal(canonicalQuantity(got), got, `${got} is stable`)
  }
})

test('quantities are compared in thousandths', async t => {
  t.equal(thousandths('1Gi'), thousandths('1024Mi'))
  t.equal(thousandths('0.0001'), '1')
  t.equal(thousandths(2), '2000')
  t.equal(thousandths('many'), undefined)
})
