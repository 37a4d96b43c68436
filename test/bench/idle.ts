// Does the proxy ever answer 502 because a pod has just closed an idle connection? `npm run bench:idle -- [requests]`:
// pods that close connections at the worst moments (right behind an answer, or after a few milliseconds of idling, without
// a word), one request in four with a body. Prints what failed, and exits 1 when anything did.
import { spawn } from 'node:child_process'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { numbersOf } from './numbers.ts'
import { freePort } from './proxy-load.ts'

const [requests] = numbersOf('idle', 'Asks pods that close their connections at the worst moments.', [
  { what: 'requests', otherwise: 1_000_000, least: 1 },
]) as [number]
const CONNECTIONS = 64
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody'

let closedAtOnce = 0
let closedIdle = 0

/** A pod that answers every request, and then may close the connection without having said so. */
function serve(socket: Socket): void {
  let timer: NodeJS.Timeout | undefined
  let before = ''
  socket.setNoDelay(true).on('error', () => {})
  socket.on('close', () => clearTimeout(timer))
  socket.on('data', data => {
    clearTimeout(timer)
    before += data.toString('latin1')
    const isWhole = before.startsWith('GET') ? before.endsWith('\r\n\r\n') : before.endsWith('\r\n\r\nbody')
    if (!isWhole) return
    before = ''
    socket.write(ANSWER)
    const chance = Math.random()
    if (chance < 0.05) {
      closedAtOnce++
      socket.end()
    } else if (chance < 0.2)
      timer = setTimeout(() => {
        closedIdle++
        socket.destroy()
      }, Math.random() * 5)
  })
}

const pods = createServer(serve)
await new Promise<void>(done => pods.listen(0, '127.0.0.1', done))
const url = `http://127.0.0.1:${(pods.address() as AddressInfo).port}`
const port = await freePort()
const main = join(import.meta.dirname, '../../src/main.ts')
const args = [main, 'proxy', '--stable', url, '--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0']
const proxy = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
process.on('exit', () => proxy.kill('SIGKILL'))

let left = requests
let answered = 0
const failed = new Map<string, number>()
const fail = (why: string): void => void failed.set(why, (failed.get(why) ?? 0) + 1)

/** One client: a request after the other on one connection, now and then a rest in which connections idle. */
function client(): Promise<void> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1')
    let said = ''
    let asked = ''
    let isOver = false
    const next = (): void => {
      if (left <= 0) {
        isOver = true
        socket.end()
        done()
        return
      }
      left--
      asked = Math.random() < 0.25 ? POST : GET
      socket.write(asked)
    }
    socket.setNoDelay(true).on('connect', next)
    socket.on('data', data => {
      said += data.toString('latin1')
      const head = said.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(said)?.[1] ?? 0)
      if (head < 0 || said.length < head + 4 + length) return
      answered++
      if (!said.startsWith('HTTP/1.1 200')) fail(`${asked.slice(0, 4).trim()}: ${said.slice(9, said.indexOf('\r\n'))}`)
      said = ''
      if (Math.random() < 0.02) setTimeout(next, Math.random() * 8)
      else next()
    })
    socket.on('error', error => fail(String(error)))
    socket.on('close', () => {
      if (isOver) return
      fail('the connection of a client was closed')
      done()
    })
  })
}

for (let i = 0; i < 100; i++) {
  const isUp = await new Promise<boolean>(done => {
    const socket = connect(port, '127.0.0.1', () => done(true))
    socket.on('error', () => done(false)).on('connect', () => socket.destroy())
  })
  if (isUp) break
  await sleep(50)
}
const ticker = setInterval(() => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${answered} of ${requests}`)
}, 500)
const began = performance.now()
await Promise.all(Array.from({ length: CONNECTIONS }, client))
clearInterval(ticker)
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
const seconds = (performance.now() - began) / 1000
console.log(
  `${answered} requests in ${seconds.toFixed(1)} s; pods closed ${closedAtOnce} connections right behind an answer and ${closedIdle} idle ones`,
)
for (const [why, count] of failed) console.log(`  ${count} x ${why}`)
const lost = [...failed.values()].reduce((sum, n) => sum + n, 0)
console.log(`${lost} failed`)
process.exit(lost === 0 && answered === requests ? 0 : 1)
