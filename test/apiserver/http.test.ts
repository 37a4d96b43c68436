// The server over sockets: what it lets in, what it cuts off, and how it ends.
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { type HttpOptions, kubeconfigFor, serveHttp } from '../../src/apiserver/http.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { seeded, systemClock } from '../../src/sim/clock.ts'

const newServer = () => createApiServer({ clock: systemClock({ unref: true }), random: seeded(1) })
const start = async (t: Test, options: Partial<HttpOptions> = {}) => {
  const server = newServer()
  const web = await serveHttp(server, { host: '127.0.0.1', port: 0, ...options })
  t.teardown(() => web.close())
  return { server, ...web }
}
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const configMap = (name: string, text = '') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { text },
})

t.test('a body of more than 3 MiB is refused, and the next request is answered', async t => {
  const { url } = await start(t)
  const post = (text: string) =>
    fetch(url + CONFIG_MAPS, {
      method: 'POST',
      body: JSON.stringify(configMap('a', text)),
      headers: { 'content-type': 'application/json' },
    })
  const large = await post('x'.repeat(4 * 1024 * 1024))
  t.equal(large.status, 413)
  t.match(await large.json(), { kind: 'Status', reason: 'RequestEntityTooLarge', code: 413 })
  t.equal((await post('x'.repeat(2 * 1024 * 1024))).status, 201)
})

t.test('with a token, requests without it are refused', async t => {
  const { url } = await start(t, { token: 'secret' })
  const get = async (headers: Record<string, string>) => (await fetch(`${url}/api`, { headers })).status
  t.same(
    [await get({}), await get({ authorization: 'Bearer other' }), await get({ authorization: 'Bearer secret' })],
    [401, 401, 200],
  )
})

t.test('a page that points a name of its own at this machine gets nothing', async t => {
  const { port } = await start(t)
  const answer = await new Promise<string>(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('data', data => resolve(data.toString()))
    socket.end('GET /api/v1/secrets HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')
  })
  t.match(answer, /^HTTP\/1.1 403 /)
})

t.test('a port in use is a mistake that a person can mend', async t => {
  const { port } = await start(t)
  await t.rejects(serveHttp(newServer(), { host: '127.0.0.1', port }), {
    name: 'UserError',
    code: 'PIN7001',
    message: `port ${port} is in use`,
  })
})

t.test('a watch sends each event as it happens, and ends when the server does', async t => {
  const { url, server, close } = await start(t)
  const response = await fetch(`${url}${CONFIG_MAPS}?watch=1`)
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  server.create(configMap('a'))
  t.match(JSON.parse((await reader.read()).value ?? ''), { type: 'ADDED', object: { metadata: { name: 'a' } } })
  await close()
  await t.rejects(reader.read())
})

t.test('a reader of a watch that does not read is cut off, and writers never wait', async t => {
  const { port, server } = await start(t)
  const socket = connect(port, '127.0.0.1')
  const ended = new Promise(resolve => socket.on('close', resolve))
  const opened = new Promise(resolve => socket.once('data', resolve))
  socket.on('error', () => {})
  socket.write(`GET ${CONFIG_MAPS}?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  await opened
  socket.pause()
  server.create(configMap('a'))
  const text = 'x'.repeat(100_000)
  for (let count = 0; count < 400; count += 1) {
    server.update(configMap('a', `${count}${text}`))
    if (count % 20 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  socket.resume()
  await ended
  t.pass('the connection has ended')
})

t.test('the kubeconfig names the server and how to trust it', async t => {
  const text = kubeconfigFor('http://127.0.0.1:7001', 'secret')
  t.match(text, 'server: http://127.0.0.1:7001')
  t.match(text, 'insecure-skip-tls-verify: true')
  t.match(text, 'token: secret')
})
