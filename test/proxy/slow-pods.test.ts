// Pods that are slow to take, to answer or to go on: what is their fault is not laid to their clients, and has its limits.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { notYetBehaviours } from './hostile-not-yet.ts'
import { ask, eventually, only, pod, proxy, rawPod, type Wire, wire } from './kit.ts'

const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n'
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'

/** Milliseconds until the connection is closed. */
async function lasts(w: Wire): Promise<number> {
  const began = performance.now()
  await w.closed
  return performance.now() - began
}

test('a pod that takes its time over an upload is not the fault of the client', async t => {
  const p = await pod(t, async (req: IncomingMessage, res: ServerResponse) => {
    await sleep(3000 + 10 * Number(req.url?.slice(1)))
    let got = 0
    req.on('data', part => {
      got += part.length
    })
    req.on('end', () => res.end(`${got}`))
  })
  const { url } = await proxy(t, { table: only(p.url), limits: { body: 2500 } })
  const body = Buffer.alloc(16_000_000)
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => ask(url, `/${i}`, { method: 'POST', body })))
  const bodies = answers.map(answer => answer.body)
  // See hostile-not-yet.ts.
  const isExcused = notYetBehaviours.has('a pod that pauses longer than the limit for the body')
  const excused = isExcused ? bodies.filter(body => /the request body did not come in time/.test(body)) : []
  t.strictSame(
    bodies.filter(body => !excused.includes(body)),
    Array(8 - excused.length).fill('16000000'),
  )
})

test('what a pod does not take is given up, and its client told', async t => {
  let open = 0
  const p = await rawPod(t, socket => {
    open++
    socket.on('close', () => open--)
    socket.once('data', data => {
      if (data.includes('websocket'))
        socket.write('HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
      // Paused it would not see that the proxy is gone.
      socket.pause()
      setTimeout(() => socket.resume(), 1400)
    })
  })
  const running = await proxy(t, { table: only(p.url), limits: { body: 300, answer: 300, send: 300 } })
  const upgrade = `${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
  const kinds = { upload: `${POST}Content-Length: 99999999\r\n\r\n`, WebSocket: upgrade }
  await Promise.all(
    Object.entries(kinds).map(async ([kind, head]) => {
      const w = wire(t, running.port, head)
      if (kind === 'WebSocket') await w.until('101')
      w.socket.write(Buffer.alloc(60_000_000))
      const lived = await Promise.race([lasts(w), sleep(1300).then(() => 0)])
      w.socket.destroy()
      const isExcused = notYetBehaviours.has(`a${kind === 'upload' ? 'n' : ''} ${kind} that its pod does not take`)
      if (isExcused) t.equal(lived, 0, `${kind} passes: take it off the list`)
      else t.ok(lived >= 100, `the ${kind} was given up after ${lived.toFixed()} ms`)
      if (kind === 'upload') t.match(w.said(), /^HTTP\/1\.1 504 |^$/, 'the client is told, if it can still hear')
    }),
  )
  await eventually(() => open === 0 && running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing stays open')
})

test('a pod whose answer comes octet by octet: the head has its limit, the body has none', async t => {
  const say = async (write: (octet: string) => boolean, text: string, ms: number): Promise<void> => {
    for (const octet of text) if (write(octet)) await sleep(ms)
  }
  const p = await rawPod(t, socket => {
    const write = (octet: string): boolean => {
      if (!socket.writable) return false
      socket.write(octet)
      return true
    }
    socket.setNoDelay(true)
    socket.on('data', data => {
      if (data.includes('/head')) void say(write, 'HTTP/1.1 200 OK\r\nX-A: '.padEnd(200, 'a'), 20)
      else if (data.includes('/fast')) void say(write, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 1)
      else {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n')
        void say(write, 'twelve bytes', 90)
      }
    })
  })
  const { url } = await proxy(t, { table: only(p.url), limits: { answer: 700 } })
  const [head, fast, body] = await Promise.all(['/head', '/fast', '/body'].map(path => ask(url, path)))
  t.match(head, { status: 504, body: /no answer in time/ })
  t.match(fast, { status: 200, body: 'ok' })
  t.match(body, { status: 200, body: 'twelve bytes' })
})
