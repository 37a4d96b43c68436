// Connection flags over what the kubeconfig says.
import { test } from 'tap'
import type { Access } from '../../src/kube/access.ts'
import { overridden } from '../../src/kube/overrides.ts'

const access: Access = {
  server: 'https://10.0.0.1:6443',
  namespace: 'shop',
  ca: 'their ca',
  headers: { 'x-kept': 'yes' },
  token: async () => 'theirs',
}

/** What there is in it, with the token that it gives. */
const plain = async (given: Parameters<typeof overridden>[1]) => {
  const { token, tls, ...rest } = await overridden(access, given)
  return { ...rest, token: await token?.(), tls: await tls?.() }
}

test('nothing given changes nothing', async t => {
  const { token: _, ...rest } = access
  t.same(await plain({}), { ...rest, token: 'theirs', tls: undefined })
})

test('what is given counts', async t => {
  const folder = t.testdir({ 'ca.pem': 'our ca', 'cert.pem': 'our cert', 'key.pem': 'our key' })
  const given = {
    server: 'https://other:443/base/',
    certificateAuthority: `${folder}/ca.pem`,
    clientCertificate: `${folder}/cert.pem`,
    clientKey: `${folder}/key.pem`,
    tlsServerName: 'api',
    insecureSkipTlsVerify: true,
    proxyUrl: 'http://proxy:3128',
    token: 'ours',
    as: 'jane',
    asUid: '7',
    asGroup: ['dev', 'ops'],
  }
  t.same(await plain(given), {
    server: 'https://other:443/base',
    namespace: 'shop',
    ca: 'our ca',
    cert: 'our cert',
    key: 'our key',
    servername: 'api',
    insecureSkipTlsVerify: true,
    proxy: 'http://proxy:3128',
    headers: {
      'x-kept': 'yes',
      'impersonate-user': 'jane',
      'impersonate-uid': '7',
      'impersonate-group': ['dev', 'ops'],
    },
    token: 'ours',
    tls: undefined,
  })
})

test('a name and a password stand in for a token', async t => {
  const { headers, token } = await plain({ username: 'jane', password: 'pw' })
  t.same([headers, token], [{ 'x-kept': 'yes', authorization: 'Basic amFuZTpwdw==' }, undefined])
})

test('what cannot be used is told', async t => {
  await t.rejects(overridden(access, { server: 'nowhere' }), { code: 'PIN2003' })
  await t.rejects(overridden(access, { clientKey: '/does/not/exist' }), { code: 'PIN2002' })
})
