// The two versions behind the proxies of `npm run bench:proxy`: PORT PORT. Answers are made beforehand and written in one
// piece, as application servers do, and requests that were read together are answered together, as whoever takes requests
// in batches does. A web server of files would write a head and its body apart and each answer for itself; on the core that
// it shares with the load it would be the bottleneck, and the proxies would be measured half asleep.
import { createServer, type Socket } from 'node:net'
import { adopt, tryAdopting } from '../../src/proxy/engine/reads.ts'

/** As many of one answer as are written at most at once. */
const AT_ONCE = 64
const END_OF_HEAD = '\r\n\r\n'

/** An answer of so many octets, in a row with itself: the first n of them are one piece of memory. */
class Answer {
  readonly #row: Buffer
  readonly #length: number

  constructor(octets: number) {
    const fields = [
      'HTTP/1.1 200 OK',
      'Server: origin',
      `Date: ${new Date().toUTCString()}`,
      'Content-Type: text/plain',
      `Content-Length: ${octets}`,
      'Cache-Control: max-age=60',
      `ETag: "${octets}"`,
      'Accept-Ranges: bytes',
    ]
    const one = Buffer.from(`${fields.join('\r\n')}${END_OF_HEAD}${'x'.repeat(octets)}`)
    this.#length = one.length
    this.#row = Buffer.concat(Array.from({ length: AT_ONCE }, () => one))
  }

  write(socket: Socket, times: number): void {
    for (let left = times; left > 0; left -= AT_ONCE)
      socket.write(this.#row.subarray(0, Math.min(left, AT_ONCE) * this.#length))
  }
}

const POSTED = new Answer(2)
const OF_PATH: Readonly<Record<string, Answer>> = { '/1k': new Answer(1024), '/64k': new Answer(65536) }

/** Answers GET and POST with Content-Length, which is all that the load sends. */
function serve(accepted: Socket): void {
  let begun: Buffer | undefined
  let asked: { answer: Answer; bodyLeft: number } | undefined
  const take = (shared: Buffer, from: number, to: number): void => {
    const read = shared.subarray(from, to)
    const octets = begun ? Buffer.concat([begun, read]) : read
    begun = undefined
    let row: { answer: Answer; times: number } | undefined
    for (let at = 0; ; ) {
      if (asked) {
        const ofBody = Math.min(asked.bodyLeft, octets.length - at)
        asked.bodyLeft -= ofBody
        at += ofBody
        if (asked.bodyLeft > 0) break
        if (row?.answer === asked.answer) row.times++
        else {
          row?.answer.write(socket, row.times)
          row = { answer: asked.answer, times: 1 }
        }
        asked = undefined
      }
      const end = octets.indexOf(END_OF_HEAD, at)
      if (end < 0) {
        if (at < octets.length) begun = Buffer.from(octets.subarray(at))
        break
      }
      const head = octets.toString('latin1', at, end)
      at = end + END_OF_HEAD.length
      const bodyLeft = head.startsWith('POST') ? Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0) : 0
      asked = { answer: OF_PATH[head.split(' ', 2)[1]!] ?? POSTED, bodyLeft }
    }
    row?.answer.write(socket, row.times)
  }
  const socket = adopt(accepted, { take })
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('end', () => socket.destroy())
}

await tryAdopting()
for (const port of process.argv.slice(2))
  createServer({ pauseOnConnect: true }, serve).listen(Number(port), '127.0.0.1', 4096)
