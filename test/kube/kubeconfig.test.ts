// Kubeconfig files and service accounts: what is read from them, and what people are told when that fails.
import { execFile } from 'node:child_process'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { type Test, test } from 'tap'
import { UserError } from '../../src/errors.ts'
import { fileToken, loadInCluster } from '../../src/kube/in-cluster.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'

const config = (extra = '') => `
apiVersion: v1
kind: Config
current-context: shop
clusters:
- {name: here, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: ${Buffer.from('CA').toString('base64')}}}
- {name: there, cluster: {server: "https://there.test", certificate-authority: pki/ca.crt, tls-server-name: api, proxy-url: "http://proxy.test:3128"}}
- {name: odd, cluster: {server: not an address}}
users:
- {name: token, user: {token: secret}}
- {name: cert, user: {client-certificate: pki/me.crt, client-key-data: ${Buffer.from('KEY').toString('base64')}}}
- {name: basic, user: {username: me, password: "p:w"}}
- {name: other, user: {token: x, as: alice, as-groups: [a, b], as-uid: "7"}}
- {name: file, user: {tokenFile: token}}
- {name: plugin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ${process.execPath}, args: ["-e", "console.log(JSON.stringify({status:{token:'from-plugin-'+process.pid}}))"]}}}
- {name: broken, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ${process.execPath}, args: ["-e", "console.error('log in first');process.exit(3)"]}}}
contexts:
- {name: shop, context: {cluster: here, user: token, namespace: shop}}
- {name: cert, context: {cluster: there, user: cert}}
- {name: basic, context: {cluster: here, user: basic}}
- {name: other, context: {cluster: here, user: other}}
- {name: file, context: {cluster: here, user: file}}
- {name: plugin, context: {cluster: here, user: plugin}}
- {name: broken, context: {cluster: here, user: broken}}
- {name: nobody, context: {cluster: here}}
- {name: lost, context: {cluster: gone, user: token}}
- {name: odd, context: {cluster: odd, user: token}}
${extra}`

async function folder(t: Test, files: Record<string, string>): Promise<string> {
  const root = t.testdir()
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true })
    await writeFile(join(root, name), text)
  }
  return root
}

test('the current context says where, who and in which namespace', async t => {
  const path = join(await folder(t, { config: config() }), 'config')
  const { token, ...access } = await loadKubeconfig({ path })
  t.same(access, { server: 'https://127.0.0.1:6443', namespace: 'shop', ca: 'CA', headers: {} })
  t.equal(await token?.(), 'secret')
})

test('files are looked for beside the kubeconfig', async t => {
  const path = join(await folder(t, { config: config(), 'pki/ca.crt': 'THEIR CA', 'pki/me.crt': 'ME' }), 'config')
  t.same(await loadKubeconfig({ path, context: 'cert' }), {
    server: 'https://there.test',
    namespace: 'default',
    ca: 'THEIR CA',
    cert: 'ME',
    key: 'KEY',
    servername: 'api',
    proxy: 'http://proxy.test:3128',
    headers: {},
  })
})

test('passwords and impersonation become headers', async t => {
  const path = join(await folder(t, { config: config() }), 'config')
  const { headers } = await loadKubeconfig({ path, context: 'basic' })
  t.same(headers, { authorization: `Basic ${Buffer.from('me:p:w').toString('base64')}` })
  const other = await loadKubeconfig({ path, context: 'other' })
  t.same(other.headers, { 'impersonate-user': 'alice', 'impersonate-group': ['a', 'b'], 'impersonate-uid': '7' })
})

test('a token file is read, without its newline', async t => {
  const path = join(await folder(t, { config: config(), token: 'from-file\n' }), 'config')
  t.equal(await (await loadKubeconfig({ path, context: 'file' })).token?.(), 'from-file')
})

test('a context without a user is nobody', async t => {
  const path = join(await folder(t, { config: config() }), 'config')
  t.equal((await loadKubeconfig({ path, context: 'nobody' })).token, undefined)
})

test('KUBECONFIG names several files; the first to know a name wins, missing ones are skipped', async t => {
  const first = 'users: [{name: token, user: {token: mine}}]'
  const root = await folder(t, { one: first, two: config() })
  const KUBECONFIG = ['one', 'missing', 'two'].map(name => join(root, name)).join(delimiter)
  const access = await loadKubeconfig({ env: { KUBECONFIG } })
  t.equal(await access.token?.(), 'mine')
  t.equal(access.server, 'https://127.0.0.1:6443')
})

test('without KUBECONFIG it is the one of the home directory', async t => {
  const HOME = await folder(t, { '.kube/config': config() })
  t.equal((await loadKubeconfig({ env: { HOME } })).namespace, 'shop')
})

test('a login plug-in is run; a refused token makes it run again', async t => {
  const path = join(await folder(t, { config: config() }), 'config')
  const { token, ca, server } = await loadKubeconfig({ path, context: 'plugin' })
  t.same([ca, server], ['CA', 'https://127.0.0.1:6443'])
  const first = await token?.()
  t.match(first, /^from-plugin-\d+$/)
  t.equal(await token?.(), first, 'remembered')
  t.not(await token?.(first), first)
})

// biome-ignore format: a table reads best as a table
const mistakes: Record<string, [Record<string, string>, { path?: string; context?: string }, object]> = {
  'no file': [{}, {}, { code: 'PIN2001', message: /there is no kubeconfig: .*config not found/, hint: /KUBECONFIG/ }],
  'not YAML': [{ config: 'a: [' }, {}, { code: 'PIN2003', message: /is not YAML/ }],
  'no mapping': [{ config: 'hello' }, {}, { code: 'PIN2003', message: /holds no mapping/ }],
  'an empty file': [{ config: '' }, {}, { code: 'PIN2004', message: /names no current context/ }],
  'no such context': [{ config: config() }, { context: 'shpo' }, { code: 'PIN2004', message: /has no context "shpo"/, hint: /There are: shop, cert,/ }],
  'a context with a lost cluster': [{ config: config() }, { context: 'lost' }, { code: 'PIN2004', message: /has no cluster "gone"/, hint: 'There are: here, there, odd.' }],
  'an address that is none': [{ config: config() }, { context: 'odd' }, { code: 'PIN2003', message: /no usable server address/ }],
  'a certificate that is not there': [{ config: config() }, { context: 'cert' }, { code: 'PIN2002', message: /certificate-authority that cannot be read/ }],
  'a plug-in that fails': [{ config: config() }, { context: 'broken' }, { code: 'PIN2005', message: 'the login of the kubeconfig user broken failed: log in first' }],
}

for (const [name, [files, options, error]] of Object.entries(mistakes)) {
  test(`told clearly: ${name}`, async t => {
    const path = join(await folder(t, files), 'config')
    const failed = await loadKubeconfig({ path, ...options }).catch(e => e)
    t.ok(failed instanceof UserError)
    t.match(failed, error)
  })
}

test('reading a plain kubeconfig does not load the heavy client, a login plug-in does', async t => {
  const path = join(await folder(t, { config: config() }), 'config')
  const script = `
    import { registerHooks } from 'node:module'
    let heavy = false
    const resolve = (name, context, next) => ((heavy ||= name.includes('client-node')), next(name, context))
    registerHooks({ resolve })
    const { loadKubeconfig } = await import(process.argv[1])
    const answers = []
    for (const context of ['shop', 'plugin']) {
      await loadKubeconfig({ path: process.argv[2], context })
      answers.push(heavy)
    }
    console.log(JSON.stringify(answers))`
  const module = new URL('../../src/kube/kubeconfig.ts', import.meta.url).href
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, module, path])
  t.same(JSON.parse(stdout), [false, true])
})

test('in a Pod the service account is used', async t => {
  const root = await folder(t, { token: 'one\n', namespace: 'pintle\n', 'ca.crt': 'CA' })
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  const access = await loadInCluster({ folder: root, env })
  t.match(access, { server: 'https://[fd00::1]:443', namespace: 'pintle', ca: 'CA' })
  t.equal((await loadInCluster({ folder: root, env: { ...env, POD_NAMESPACE: 'own' } })).namespace, 'own')
  t.equal(await access.token?.(), 'one')
  await writeFile(join(root, 'ca.crt'), 'NEW CA')
  t.same(await access.tls?.(), { ca: 'NEW CA' })
})

test('outside a Pod that is said', async t => {
  await t.rejects(loadInCluster({ env: {} }), { code: 'PIN2001', message: /KUBERNETES_SERVICE_HOST is not set/ })
})

test('a rotated token is taken up after a minute, or at once when the old one is refused', async t => {
  const root = await folder(t, { token: 'one' })
  let now = 0
  const token = fileToken(join(root, 'token'), () => now)
  t.equal(await token(), 'one')
  await writeFile(join(root, 'token'), 'two\n')
  now = 59_000
  t.equal(await token(), 'one', 'no read per request')
  now = 60_000
  t.equal(await token(), 'two')
  await writeFile(join(root, 'token'), 'three')
  t.same(await Promise.all([token('two'), token('two'), token('two')]), ['three', 'three', 'three'])
  t.equal(await token('two'), 'three', 'a late refusal of the old one needs no read')
})

test('while the token file is away or empty the last good token stays', async t => {
  const root = await folder(t, { token: 'one' })
  const path = join(root, 'token')
  let now = 0
  const token = fileToken(path, () => now)
  await token()
  await rename(path, `${path}.away`)
  now = 60_000
  t.equal(await token(), 'one')
  await writeFile(path, '')
  t.equal(await token(), 'one')
  await writeFile(path, 'two')
  now = 120_000
  t.equal(await token(), 'two')
  await rm(path)
  await t.rejects(fileToken(path, () => 0)(), { code: 'ENOENT' })
})
