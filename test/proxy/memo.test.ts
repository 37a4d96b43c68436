// A request that is the one before, octet for octet, takes a short cut; whatever differs in a single octet does not.
import fc from 'fast-check'
import { test } from 'tap'
import { eventually, only, pod, proxy, split, wire } from './kit.ts'

const head = (path: string, value = 'same') => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\nX-Value: ${value}\r\n\r\n`

/** A pod that answers with what it was asked. */
const echo = (t: Parameters<typeof pod>[0]) =>
  pod(t, (req, res) => {
    const { method, url, headers } = req
    res.end(`<${method} ${url} ${headers.host} ${headers['x-value']} ${headers['x-forwarded-for']}>`)
  })

test('whatever is asked in whatever order, the pod hears exactly that', async t => {
  const running = await proxy(t, { table: only((await echo(t)).url) })
  // Paths and values of one length, so that only octets tell them apart, at every place in a word.
  const requests = fc.array(
    fc.record({
      path: fc.constantFrom('/aaaa', '/aaab', '/baaa', '/aaba'),
      value: fc.constantFrom('vvvvv', 'vvvvw', 'wvvvv', 'vvwvv'),
      method: fc.constantFrom('GET', 'GET', 'GET', 'PUT'),
    }),
    { minLength: 5, maxLength: 40 },
  )
  await fc.assert(
    fc.asyncProperty(requests, async all => {
      const w = wire(t, running.port)
      let wanted = 0
      for (const { method, path, value } of all) {
        w.socket.write(head(path, value).replace('GET', method))
        wanted += 1
        await eventually(() => w.said().split('>').length === wanted + 1, 'the answer')
      }
      w.socket.destroy()
      const heard = [...w.said().matchAll(/<(.*?)>/g)].map(([, text]) => text)
      t.strictSame(
        heard,
        all.map(({ method, path, value }) => `${method} ${path} shop.test ${value} 127.0.0.1`),
      )
    }),
    { numRuns: 40 },
  )
})

test('weights, tables and cookies count for repeated requests as for any other', async t => {
  const [stable, canary] = await Promise.all([echo(t), pod(t, '<canary>')])
  const running = await proxy(t, { table: split(stable.url, canary.url, 25) })
  const w = wire(t, running.port)
  let answers = 0
  const ask = async (n: number) => {
    for (let i = 0; i < n; i++) {
      w.socket.write(head('/a'))
      answers += 1
      await eventually(() => w.said().split('>').length === answers + 1, 'the answer')
    }
    return [...w.said().matchAll(/<(.*?)>/g)].slice(-n).map(([, text]) => text!)
  }
  t.equal((await ask(100)).filter(text => text === 'canary').length, 25, 'each is chosen by the weight')
  running.swap(split(stable.url, canary.url, 100))
  t.same(new Set(await ask(5)), new Set(['canary']), 'the next one follows the new table')
  running.swap(only(stable.url, { rules: [], match: { pathPrefix: '/b' } }))
  w.socket.write(head('/a'))
  await eventually(() => w.said().includes('404'), 'and a table with another way in')
})

test('requests in a row, and heads in pieces, are read as they come', async t => {
  const running = await proxy(t, { table: only((await echo(t)).url) })
  const w = wire(t, running.port)
  for (let i = 0; i < 4; i++) {
    w.socket.write(head('/a'))
    await eventually(() => w.said().split('>').length === i + 2, 'alone')
  }
  w.socket.write(head('/a') + head('/b') + head('/a'))
  await eventually(() => w.said().split('>').length === 8, 'three at once')
  const half = head('/a').slice(0, 20)
  w.socket.write(half)
  await new Promise(done => setTimeout(done, 20))
  w.socket.write(head('/a').slice(20))
  await eventually(() => w.said().split('>').length === 9, 'in two pieces')
  const paths = [...w.said().matchAll(/<GET (\S+)/g)].map(([, path]) => path)
  t.same(paths, ['/a', '/a', '/a', '/a', '/a', '/b', '/a', '/a'])
})
