// Runs a table of hostile requests against a proxy: each on a connection of its own with another request behind it, in
// front of a pod that writes down every octet. Lanes run beside each other; within a lane nothing overlaps, so that
// whatever a pod sees belongs to the case under way.
import { connect, type Socket } from 'node:net'
import type { RunningProxy } from '../../src/proxy/start.ts'
import { dirtIn, endToEnd, readRequest, type Seen } from './hostile-read.ts'
import { only, proxy, rawPod } from './kit.ts'

type Test = Parameters<typeof proxy>[0]

export type Case = Readonly<{
  name: string
  /** What the client sends, as latin1: in one write, or in several with a pause between them. */
  bytes: string | readonly string[]
  /**
   * refused: answered with an error of the client's, or closed, and the pod sees nothing of it.
   * cut: refused in its body. The pod may have seen its beginning, but never its end.
   * clean: the pod gets it in a form that can be read in one way only.
   * either: refused or clean; `why` says why both will do.
   */
  expect: 'refused' | 'cut' | 'clean' | 'either'
  /** The requests that the pod must see, as `METHOD target host body`; for `refused` and `cut` those before. */
  seen?: readonly string[]
  why?: string
  /** The status of the refusal, where it matters. */
  status?: string
  /** Sent behind it; by default another request, which must be served if and only if this one is. */
  behind?: string
}>

/** The request that follows each case. */
export const AFTER = 'GET /after HTTP/1.1\r\nHost: after.test\r\nConnection: close\r\n\r\n'
const AFTER_SEEN = 'GET /after after.test'
const REFUSALS = new Set(['400', '408', '413', '414', '417', '431', '501', '505'])
const LIMIT_MS = 3000

/** What a pod got on one connection. */
type Heard = { text: string; at: number; seen: Seen[]; bad: string; open: boolean }

type Lane = { running: RunningProxy; heard: Heard[]; gone(): Promise<void> }

export const shown = (s: Pick<Seen, 'method' | 'target' | 'host' | 'body'>): string =>
  [s.method, s.target, s.host, s.body].filter(part => part !== '').join(' ')

/** A proxy and a pod behind it that answers each proper request with what it read. */
async function openLane(t: Test): Promise<Lane> {
  const heard: Heard[] = []
  const pod = await rawPod(t, socket => {
    const one: Heard = { text: '', at: 0, seen: [], bad: '', open: true }
    heard.push(one)
    socket.on('close', () => {
      one.open = false
    })
    socket.on('data', data => {
      one.text += data.toString('latin1')
      answerWhole(one, socket)
    })
  })
  const running = await proxy(t, { table: only(pod.url) })
  return {
    running,
    heard,
    async gone() {
      // A connection with half a request on it must end with the client.
      const end = Date.now() + LIMIT_MS
      while (heard.some(h => h.open && h.at < h.text.length) && Date.now() < end) await sleep(2)
    },
  }
}

function answerWhole(one: Heard, socket: Socket): void {
  while (one.at < one.text.length && one.bad === '') {
    const reading = readRequest(one.text, one.at, true)
    if (reading.kind === 'more') return
    if (reading.kind === 'bad') {
      one.bad = reading.why
      socket.destroy()
      return
    }
    one.at = reading.next
    one.seen.push(reading.request)
    const body = shown(reading.request)
    const isHead = reading.request.method === 'HEAD'
    socket.write(
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${isHead ? '' : body}`, 'latin1'),
    )
  }
}

const sleep = (ms: number) => new Promise<void>(done => setTimeout(done, ms))

/** Long enough for the part before to be read alone: turns of the loop, as the proxy runs in the same one. */
async function pause(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise(done => setTimeout(() => setImmediate(done), 0))
}

/** Sends the parts and reads until the connection ends; `hung` when it does not. */
async function converse(port: number, parts: readonly string[]): Promise<{ said: string; hung: boolean }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let said = ''
  socket.setEncoding('latin1').on('data', part => {
    said += part
  })
  socket.on('error', () => {})
  const closed = new Promise<boolean>(done => socket.on('close', () => done(false)))
  await new Promise<void>(done => socket.once('connect', done).once('close', done))
  if (parts.length > 1) await pause()
  for (const [i, part] of parts.entries()) {
    if (i > 0) await pause()
    if (socket.writable) socket.write(Buffer.from(part, 'latin1'))
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(done => {
    timer = setTimeout(() => done(true), LIMIT_MS)
  })
  const hung = await Promise.race([closed, late])
  clearTimeout(timer)
  socket.destroy()
  return { said, hung }
}

/** What is wrong with how the proxy treated a case; nothing when all is well. */
async function judge(lane: Lane, one: Case): Promise<string[]> {
  const { heard, running } = lane
  for (const h of heard.filter(h => !h.open)) heard.splice(heard.indexOf(h), 1)
  for (const h of heard) {
    h.text = h.text.slice(h.at)
    h.at = 0
    h.seen = []
  }
  const parts = typeof one.bytes === 'string' ? [one.bytes] : [...one.bytes]
  const last = parts.pop() ?? ''
  parts.push(last + (one.behind ?? AFTER))
  const { said, hung } = await converse(running.port, parts)
  await lane.gone()

  const wrong: string[] = []
  const statuses = [...said.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map(m => m[1]!).filter(s => s !== '100')
  const seen = heard.flatMap(h => h.seen)
  const shownSeen = seen.map(shown)
  const answered = statuses.filter(s => s === '200').length
  const errors = statuses.filter(s => s !== '200')
  if (hung) wrong.push('the connection stays open')
  for (const h of heard) {
    if (h.bad !== '') wrong.push(`the pod cannot read what it got (${h.bad}): ${JSON.stringify(h.text.slice(h.at))}`)
    if (h.at < h.text.length && h.bad === '') {
      if (one.expect !== 'cut' && one.expect !== 'either')
        wrong.push(`the pod got part of it: ${JSON.stringify(h.text.slice(h.at))}`)
      if (h.open) wrong.push('the pod still waits for the rest')
    }
  }
  for (const s of seen) for (const dirt of [...dirtIn(s), ...pretended(s)]) wrong.push(`dirty: ${dirt}`)

  const isClean = one.expect === 'clean' || (one.expect === 'either' && errors.length === 0 && answered > 0)
  const served = one.expect === 'either' && !isClean ? undefined : [...(one.seen ?? [])]
  if (isClean && (one.behind ?? AFTER) === AFTER && staysOpen(one)) served?.push(AFTER_SEEN)
  if (served && shownSeen.join('\n') !== served.join('\n'))
    wrong.push(`the pod saw ${JSON.stringify(shownSeen)}, not ${JSON.stringify(served)}`)
  if (!isClean && seen.length > (one.seen?.length ?? 0)) wrong.push(`served: ${JSON.stringify(shownSeen)}`)
  if (isClean) {
    if (errors.length > 0 && staysOpen(one)) wrong.push(`answered with ${errors}`)
    wrong.push(...lostFields(one, seen))
  } else {
    if (one.status !== undefined && errors[0] !== one.status) wrong.push(`answered with ${errors}, not ${one.status}`)
    if (errors.length > 1) wrong.push(`answered more than once: ${errors}`)
    if (errors[0] !== undefined && !REFUSALS.has(errors[0])) wrong.push(`answered with ${errors[0]}`)
  }
  if (answered > seen.length) wrong.push(`${answered} answers to ${seen.length} requests`)
  return wrong
}

/** Signs that a client passes for somebody else: the proxy says who asked and for which host, once. */
function pretended({ fields, host }: Seen): string[] {
  const said = fields.filter(([name]) => /^(x-forwarded-(for|host|proto|port)|forwarded)$/.test(name))
  const value = (name: string) => said.filter(field => field[0] === name).map(field => field[1])[0]
  const isRight =
    said.length === 4 &&
    value('x-forwarded-for') === '127.0.0.1' &&
    value('x-forwarded-proto') === 'http' &&
    value('x-forwarded-host') === host &&
    /^\d+$/.test(value('x-forwarded-port') ?? '')
  return isRight ? [] : [`who asked: ${JSON.stringify(said)}`]
}

/** May another request follow? Not after HTTP/1.0 or `Connection: close`. */
function staysOpen({ bytes, seen }: Case): boolean {
  const text = typeof bytes === 'string' ? bytes : bytes.join('')
  let at = 0
  for (let i = 0; i < (seen?.length ?? 1); i++) {
    const reading = readRequest(text, at)
    if (reading.kind !== 'request') return true
    at = reading.next
    const { minor, fields } = reading.request
    if (minor === 0 || fields.some(([n, v]) => n === 'connection' && /\bclose\b/i.test(v))) return false
  }
  return true
}

/** Fields that should have reached the pod and did not, or not as they were. */
function lostFields({ bytes }: Case, seen: readonly Seen[]): string[] {
  const text = typeof bytes === 'string' ? bytes : bytes.join('')
  const wrong: string[] = []
  let at = 0
  for (const got of seen) {
    const reading = readRequest(text, at)
    if (reading.kind !== 'request') break
    at = reading.next
    const before = JSON.stringify([endToEnd(reading.request), reading.request.trailers])
    const after = JSON.stringify([endToEnd(got), got.trailers])
    if (before !== after) wrong.push(`fields ${before} came as ${after}`)
  }
  return wrong
}

/** Runs the cases in lanes; what was wrong by name. */
export async function run(t: Test, cases: readonly Case[], lanes = 12): Promise<Map<string, string[]>> {
  const wrong = new Map<string, string[]>()
  const left = [...cases]
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      const lane = await openLane(t)
      for (let one = left.shift(); one; one = left.shift()) {
        const found = await judge(lane, one)
        if (found.length > 0) wrong.set(one.name, found)
      }
    }),
  )
  return wrong
}
