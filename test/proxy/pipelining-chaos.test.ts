// Pods that answer in every way that is allowed, and some that are not, and clients that come, dawdle and go: whoever stays
// gets exactly what was asked for, whatever shared the connection.
import { Agent, request } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { eventually, proxy, rawPod } from './kit.ts'

type Test = Parameters<typeof rawPod>[0]
type Random = () => number

/** Numbers in [0, 1) that are the same for a seed. */
function randomOf(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let x = state
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    return ((x ^ (x >>> 16)) >>> 0) / 0x1_0000_0000
  }
}

/** What the answer to a path holds: the path says how long it is. */
const bodyOf = (path: string): string => `<${path}>${'x'.repeat(Number(path.split('/')[2]))}`

function answerOf(random: Random, method: string, path: string, isLast: boolean): string {
  const body = bodyOf(path)
  const last = isLast ? 'Connection: close\r\n' : ''
  const early = random() < 0.1 ? 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' : ''
  if (random() < 0.3) {
    const half = Math.floor(body.length * random()) || 1
    const chunk = (text: string) => (text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`)
    const chunks = method === 'HEAD' ? '' : `${chunk(body.slice(0, half))}${chunk(body.slice(half))}0\r\n\r\n`
    return `${early}HTTP/1.1 200 OK\r\n${last}Transfer-Encoding: chunked\r\n\r\n${chunks}`
  }
  return `${early}HTTP/1.1 200 OK\r\n${last}Content-Length: ${body.length}\r\n\r\n${method === 'HEAD' ? '' : body}`
}

/** Answers one after the other. A connection may be closed at a request that is safe, but for its first one. */
async function serve(socket: Socket, random: Random, next: () => Promise<[string, string] | undefined>): Promise<void> {
  for (let answers = 0; ; answers++) {
    const [method, path] = (await next()) ?? []
    if (method === undefined || path === undefined || socket.destroyed) return
    const luck = random()
    if (luck < 0.02) await sleep(300)
    else if (luck < 0.2) await sleep(5 * random())
    if (answers > 0 && method !== 'POST' && random() < 0.02) {
      // A reset would also take what the proxy has not read of the answers before.
      socket.end()
      return
    }
    const isLast = random() < 0.03
    const text = answerOf(random, method, path, isLast)
    const cut = random() < 0.4 ? Math.floor(text.length * random()) : text.length
    socket.write(text.slice(0, cut))
    if (cut < text.length) {
      await sleep(random() < 0.5 ? 0 : 3)
      socket.write(text.slice(cut))
    }
    if (isLast) {
      socket.end()
      return
    }
  }
}

const pod = (t: Test, random: Random) =>
  rawPod(t, socket => {
    const asked: [string, string][] = []
    let wake: (() => void) | undefined
    let text = ''
    socket.on('data', part => {
      text += part.toString('latin1')
      for (;;) {
        const end = text.indexOf('\r\n\r\n')
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
        if (end < 0 || text.length < end + 4 + length) break
        const [method, path] = text.split(' ') as [string, string]
        text = text.slice(end + 4 + length)
        asked.push([method, path])
      }
      wake?.()
    })
    socket.on('close', () => wake?.())
    void serve(socket, random, async () => {
      while (asked.length === 0 && !socket.destroyed)
        await new Promise<void>(done => {
          wake = done
        })
      return asked.shift()
    })
  })

type Got = { status: number; body: string } | 'left'

function askFor(url: string, agent: Agent, method: string, path: string, random: Random): Promise<Got> {
  const leavesAfter = random() < 0.05 ? 20 * random() : undefined
  const dawdles = random() < 0.05
  return new Promise((done, fail) => {
    let hasLeft = false
    const headers = method === 'POST' ? { 'Content-Length': 3 } : {}
    const req = request(new URL(path, url), { agent, method, headers }, res => {
      let body = ''
      res.setEncoding('latin1').on('data', part => {
        body += part
      })
      if (dawdles) {
        res.pause()
        setTimeout(() => res.resume(), 50)
      }
      res.on('error', error => (hasLeft ? done('left') : fail(error)))
      res.on('end', () => done(hasLeft ? 'left' : { status: res.statusCode ?? 0, body }))
    })
    req.on('error', error => (hasLeft ? done('left') : fail(error)))
    req.end(method === 'POST' ? 'abc' : undefined)
    if (leavesAfter !== undefined)
      setTimeout(() => {
        hasLeft = true
        req.destroy()
      }, leavesAfter)
  })
}

const SEEDS = process.env['SEEDS']?.split(',').map(Number) ?? [1, 2, 3]

for (const seed of SEEDS)
  test(`seed ${seed}: whoever stays gets what was asked for`, async t => {
    const random = randomOf(seed)
    const dests = await Promise.all(
      (['stable', 'canary'] as const).map(async role => ({
        role,
        weight: 50,
        upstream: (await pod(t, random)).url,
        pipelining: true,
      })),
    )
    const running = await proxy(t, { table: { routes: [{ name: 'web', dests }] } })
    const wrong: unknown[] = []
    let asked = 0
    let left = 0
    const client = async (id: number): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      for (let i = 0; i < 25; i++) {
        const kind = random()
        const method = kind < 0.8 ? 'GET' : kind < 0.9 ? 'HEAD' : 'POST'
        const size = random() < 0.04 ? 400_000 * random() : 2000 * random()
        const path = `/${id}-${i}/${Math.floor(size)}`
        asked++
        const got = await askFor(running.url, agent, method, path, random).catch((error: Error) => error.message)
        if (got === 'left') left++
        const isRight =
          got === 'left' ||
          (typeof got === 'object' && got.status === 200 && got.body === (method === 'HEAD' ? '' : bodyOf(path)))
        if (!isRight) wrong.push([method, path, JSON.stringify(got).slice(0, 200)])
      }
      agent.destroy()
    }
    await Promise.all(Array.from({ length: 30 }, (_, id) => client(id)))
    t.strictSame(wrong, [])
    await eventually(() => running.stats(null, 300).total.inFlight === 0, 'nothing is in flight')
    const counted = running.stats(null, 300).total.requests + aborts(running)
    t.ok(counted <= asked && counted >= asked - left, `${counted} of ${asked} are counted, ${left} clients left`)
  })

/** Requests whose client left before the answer; those are no requests in a window. */
const aborts = (running: Awaited<ReturnType<typeof proxy>>): number =>
  running.status().routes[0]!.dests.reduce((sum, dest) => sum + (dest as { aborts?: number }).aborts!, 0)
