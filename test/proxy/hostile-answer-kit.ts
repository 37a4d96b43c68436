// Runs a table of hostile answers: a pod that says what the table tells it to, a client that asks through the proxy, and
// other clients behind it who must get their own answers whatever the pod said before.
import { connect, type Socket } from 'node:net'
import type { RunningProxy } from '../../src/proxy/start.ts'
import { endToEnd, readRequest } from './hostile-read.ts'
import { dirtInAnswer, type Got, readAnswer } from './hostile-read-answer.ts'
import { only, proxy, rawPod } from './kit.ts'

type Test = Parameters<typeof proxy>[0]

export type AnswerCase = Readonly<{
  name: string
  /** What the pod says, as latin1: in one write, or in several; a number is a pause in milliseconds. */
  answer: string | readonly (string | number)[]
  /** What the pod does then; it keeps the connection by default. */
  leaves?: 'end' | 'reset'
  /** The request; GET /case in HTTP/1.1 by default. */
  request?: string
  /**
   * bad: the client gets a 502 or 504 of the proxy.
   * cut: that, or the beginning of the answer and then an end that shows that it is not whole.
   * relay: the client gets `got`, in a form that can be read in one way only.
   * either: any of these.
   */
  expect: 'bad' | 'cut' | 'relay' | 'either'
  /** Status and body that the client must get if it is relayed. */
  got?: readonly [number, string]
  why?: string
}>

/** Longest that anything may take, in milliseconds; a pod that says nothing is given up after ANSWER_MS. */
const LIMIT_MS = 2000
const ANSWER_MS = 400
const ASK = 'GET /case HTTP/1.1\r\nHost: a\r\n\r\n'

type Lane = { running: RunningProxy; script: AnswerCase | undefined; played: Promise<void>; asked: number }

const sleep = (ms: number) => new Promise<void>(done => setTimeout(done, ms))

async function play(socket: Socket, { answer, leaves }: AnswerCase): Promise<void> {
  for (const part of typeof answer === 'string' ? [answer] : answer) {
    if (socket.destroyed) return
    if (typeof part === 'number') await sleep(part)
    else socket.write(Buffer.from(part, 'latin1'))
  }
  if (leaves === 'end') socket.end()
  // A reset at once would take back what was not read yet.
  if (leaves === 'reset') await sleep(5)
  if (leaves === 'reset') socket.resetAndDestroy()
}

async function openLane(t: Test): Promise<Lane> {
  const lane: Partial<Lane> = { asked: 0, played: Promise.resolve() }
  const pod = await rawPod(t, socket => {
    let text = ''
    // Else the kernel may keep a later part back until the one before it is confirmed.
    socket.setNoDelay(true)
    socket.on('data', data => {
      text += data.toString('latin1')
      for (;;) {
        const reading = readRequest(text, 0, true)
        if (reading.kind !== 'request') return
        text = text.slice(reading.next)
        const { target } = reading.request
        if (target === '/case') {
          if (lane.script) lane.played = play(socket, lane.script)
          continue
        }
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`)
      }
    })
  })
  lane.running = await proxy(t, { table: only(pod.url), limits: { answer: ANSWER_MS } })
  return lane as Lane
}

/** A client's connection: asks, and reads one answer at a time. */
type Client = Readonly<{
  ask(request: string): Promise<{ got: Got | undefined; said: string; why: string; isReset: boolean }>
  isOpen(): boolean
  close(): void
}>

function client(port: number): Client {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let said = ''
  let ended = false
  let isReset = false
  let wake = (): void => {}
  socket.setEncoding('latin1').on('data', part => {
    said += part
    wake()
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    isReset ||= error.code === 'ECONNRESET'
  })
  socket.on('close', () => {
    ended = true
    wake()
  })
  return {
    isOpen: () => !ended && !socket.readableEnded,
    close: () => void socket.destroy(),
    async ask(request) {
      const method = request.slice(0, request.indexOf(' '))
      if (socket.writable) socket.write(Buffer.from(request, 'latin1'))
      const until = Date.now() + LIMIT_MS
      for (;;) {
        const reading = readAnswer(said, 0, method, ended && !isReset)
        if (reading.kind === 'answer') {
          said = said.slice(reading.next)
          return { got: reading.answer, said, why: '', isReset }
        }
        if (reading.kind === 'bad') return { got: undefined, said, why: `not readable: ${reading.why}`, isReset }
        if (ended) return { got: undefined, said, why: '', isReset }
        if (Date.now() > until) return { got: undefined, said, why: 'it hangs', isReset }
        await new Promise<void>(done => {
          wake = done
          setTimeout(done, LIMIT_MS).unref()
        })
      }
    },
  }
}

/** What is wrong with how the proxy treated a case; nothing when all is well. */
async function judge(lane: Lane, one: AnswerCase): Promise<string[]> {
  lane.script = one
  const wrong: string[] = []
  const first = client(lane.running.port)
  const { got, said, why } = await first.ask(one.request ?? ASK)
  if (why !== '') wrong.push(`${why}: ${JSON.stringify(said.slice(0, 300))}`)
  const isOwn = got !== undefined && /^pintle proxy: /.test(got.body) && [502, 503, 504].includes(got.status)
  const outcome = isOwn || (got && got.status >= 502 && got.status <= 504) ? 'bad' : got ? 'relay' : 'cut'
  const allowed = { bad: ['bad'], cut: ['bad', 'cut'], relay: ['relay'], either: ['bad', 'cut', 'relay'] }[one.expect]
  if (why === '' && !allowed.includes(outcome)) wrong.push(`${outcome}: ${got ? shownGot(got) : said.slice(0, 300)}`)
  if (outcome === 'relay' && got) {
    if (one.got && shownGot(got) !== `${one.got[0]} ${one.got[1]}`) wrong.push(`it got ${shownGot(got)}`)
    for (const dirt of dirtInAnswer(got)) wrong.push(`dirty: ${dirt}`)
    wrong.push(...lostFields(one, got))
  }
  if (said !== '' && got) wrong.push(`more than one answer: ${JSON.stringify(said.slice(0, 300))}`)
  // What comes late must have come before anybody asks again: afterwards nobody could tell for whom it is.
  if (typeof one.answer !== 'string') await lane.played.then(() => sleep(3))
  wrong.push(...(await others(lane, first)))
  first.close()
  return wrong
}

/** Fields and trailers that should have reached the client and did not, or not as they were. */
function lostFields({ answer, request = ASK }: AnswerCase, got: Got): string[] {
  const text = typeof answer === 'string' ? answer : answer.filter(part => typeof part === 'string').join('')
  const reading = readAnswer(text, 0, request.slice(0, request.indexOf(' ')), true)
  if (reading.kind !== 'answer') return []
  const isOld = request.includes('HTTP/1.0')
  const before = JSON.stringify([endToEnd(reading.answer), isOld ? [] : reading.answer.trailers])
  const after = JSON.stringify([endToEnd(got), got.trailers])
  return before === after ? [] : [`fields ${before} came as ${after}`]
}

const shownGot = ({ status, body }: Got): string => `${status} ${body}`

/** Whoever asks now must get an answer of their own: the same client, others at once, and others a little later. */
async function others(lane: Lane, first: Client): Promise<string[]> {
  const wrong: string[] = []
  const own = async (who: string, one: Client): Promise<void> => {
    const target = `/own-${lane.asked++}`
    const { got, said, why, isReset } = await one.ask(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
    // The client whose answer was the last on its connection may find that out only now.
    if (who === 'the same client' && !got && said === '' && why === '') return
    if (!got || got.body !== target || said !== '')
      wrong.push(`${who} got ${got ? shownGot(got) : `nothing${isReset ? ' but a reset' : ''}`} ${why}${said}`)
  }
  if (first.isOpen()) await own('the same client', first)
  await lane.played
  lane.script = undefined
  await sleep(2)
  const second = client(lane.running.port)
  await own('another client', second)
  await own('another client, later', second)
  second.close()
  return wrong
}

/** Runs the cases in lanes; what was wrong by name. */
export async function runAnswers(t: Test, cases: readonly AnswerCase[], lanes = 12): Promise<Map<string, string[]>> {
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
