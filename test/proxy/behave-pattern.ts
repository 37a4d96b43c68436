// Bodies in which every octet tells whose it is and where it belongs, and clients and pods that take them at a pace.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** `size` octets of the body number `seed`: no two bodies agree anywhere, nor do two places of one. */
export function pattern(seed: number, size: number): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4))
  const start = Math.imul(seed + 1, 0x9e3779b1)
  for (let i = 0; i < words.length; i++) words[i] = start + Math.imul(i, 0x85ebca6b)
  return Buffer.from(words.buffer, 0, size)
}

/** Compares a body with its pattern as it comes. */
export class Checker {
  private readonly wanted: Buffer
  private at = 0
  /** Where the body first differs; -1: nowhere so far. */
  differs = -1

  constructor(seed: number, size: number) {
    this.wanted = pattern(seed, size)
  }

  take(part: Buffer): void {
    const end = this.at + part.length
    if (this.differs < 0 && !part.equals(this.wanted.subarray(this.at, end))) this.differs = this.at
    this.at = end
  }

  /** What is wrong with the body; empty when all came as it should. */
  get fault(): string {
    if (this.differs >= 0) return `differs within the part at ${this.differs}`
    return this.at === this.wanted.length ? '' : `${this.at} of ${this.wanted.length} octets`
  }
}

/** Takes a stream to its end, pausing `ms` after every `each` octets; 0: as fast as it comes. */
export async function takeAll(from: IncomingMessage, to: Checker, ms: number, each = 64 * 1024): Promise<void> {
  let sinceNap = 0
  for await (const part of from) {
    to.take(part as Buffer)
    sinceNap += (part as Buffer).length
    if (ms === 0 || sinceNap < each) continue
    sinceNap = 0
    await sleep(ms)
  }
}

/**
 * A pod for bodies. GET /SEED/SIZE answers with a pattern; POST /SEED/SIZE checks the one that it gets and says `same`
 * or what is wrong. Query `nap=MS` makes it read or write with pauses, `chunked` and `close` choose how its answer ends.
 */
export const patternPod: RequestListener = (req, res) => void serve(req, res)

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = new URL(req.url ?? '/', 'http://a')
  const [seed = 0, size = 0] = url.pathname.slice(1).split('/').map(Number)
  const nap = Number(url.searchParams.get('nap') ?? 0)
  if (req.method === 'POST') {
    const checker = new Checker(seed, size)
    try {
      await takeAll(req, checker, nap)
    } catch {
      return
    }
    res.end(checker.fault || 'same')
    return
  }
  const body = pattern(seed, size)
  if (url.searchParams.has('close')) {
    res.setHeader('Connection', 'close')
    res.useChunkedEncodingByDefault = false
  } else if (!url.searchParams.has('chunked')) res.setHeader('Content-Length', size)
  for (let at = 0; at < size && !res.destroyed; at += 100_000) {
    if (!res.write(body.subarray(at, at + 100_000))) await new Promise<void>(done => onceEither(res, done))
    if (nap > 0 && at % 1_000_000 === 0) await sleep(nap)
  }
  res.end()
}

function onceEither(res: ServerResponse, done: () => void): void {
  const go = (): void => {
    res.removeListener('drain', go)
    res.removeListener('close', go)
    done()
  }
  res.on('drain', go).on('close', go)
}

/** Asks for a pattern and says what was wrong with it; empty when nothing was. `nap`: milliseconds between reads. */
export function get(base: string, seed: number, size: number, query = '', nap = 0): Promise<string> {
  return new Promise(done => {
    const req = request(`${base}/${seed}/${size}?${query}`, res => {
      const checker = new Checker(seed, size)
      takeAll(res, checker, nap).then(
        () => done(res.statusCode === 200 ? checker.fault : `status ${res.statusCode}`),
        error => done(String(error)),
      )
    })
    req.on('error', error => done(String(error)))
    req.end()
  })
}

/** Sends a pattern and says what the pod found wrong with it. `nap`: milliseconds between writes. */
export function post(base: string, seed: number, size: number, query = '', nap = 0): Promise<string> {
  return new Promise(done => {
    const headers = query.includes('chunked') ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': size }
    const req = request(`${base}/${seed}/${size}?${query}`, { method: 'POST', headers }, res => {
      let said = ''
      res.setEncoding('latin1').on('data', part => {
        said += part
      })
      res.on('error', error => done(String(error)))
      res.on('end', () => done(said === 'same' ? '' : said))
    })
    req.on('error', error => done(String(error)))
    const body = pattern(seed, size)
    const more = async (): Promise<void> => {
      for (let at = 0; at < size && !req.destroyed; at += 100_000) {
        if (!req.write(body.subarray(at, at + 100_000))) await new Promise(go => req.once('drain', go))
        if (nap > 0) await sleep(nap)
      }
      req.end()
    }
    void more()
  })
}

/** A client of few words: GETs a pattern with a length, and reads `step` octets at a time with pauses of `nap` ms. */
export function crawl(port: number, seed: number, size: number, step: number, nap: number): Promise<string> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1')
    const checker = new Checker(seed, size)
    let head = Buffer.alloc(0)
    let inBody = false
    let left = size
    socket.on('error', error => done(String(error)))
    socket.on('close', () => done(left === 0 ? checker.fault : `closed, ${left} octets left`))
    const take = (part: Buffer): void => {
      let rest = part
      if (!inBody) {
        head = Buffer.concat([head, part])
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        inBody = true
        rest = head.subarray(end + 4)
      }
      checker.take(rest)
      left -= rest.length
      if (left <= 0) socket.destroy()
    }
    const read = (): void => {
      const part = socket.read(Math.min(step, socket.readableLength)) as Buffer | null
      if (part && part.length > 0) take(part)
      if (!socket.destroyed) setTimeout(read, nap)
    }
    socket.once('readable', read)
    socket.write(`GET /${seed}/${size} HTTP/1.1\r\nHost: a\r\n\r\n`)
  })
}
