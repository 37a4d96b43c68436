// Requests by the clock, not by the answers: URL RATE SECONDS. Latency counts from the moment a request was due, so a
// proxy that stalls cannot hide it: what is not answered at the end counts with the time it has waited, and anything but a
// 200 has failed. Prints p50, p99 and p99.9 in microseconds as JSON. Used by `npm run bench:proxy`.
import { connect, type Socket } from 'node:net'

const [url = '', rate = 1000, seconds = 2] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const { port, pathname, host } = new URL(url)
const request = Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: paced\r\nAccept: */*\r\n\r\n`)
const all: Line[] = []
const idle: Line[] = []
const waiting: number[] = []
const times: number[] = []
let failed = 0

/** One connection; one request at a time. */
class Line {
  readonly socket: Socket
  due = 0
  left = -1
  isBusy = false

  constructor() {
    this.socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      if (this.isBusy) failed++
    })
    all.push(this)
    this.socket.on('data', data => this.read(data))
  }

  send(due: number): void {
    this.due = due
    this.left = -1
    this.isBusy = true
    this.socket.write(request)
  }

  read(data: Buffer): void {
    if (this.left < 0) {
      const end = data.indexOf('\r\n\r\n')
      if (data.toString('latin1', 9, 12) !== '200') failed++
      const [, length] = /content-length: *(\d+)/i.exec(data.toString('latin1', 0, end)) ?? []
      this.left = Number(length ?? 0) - (data.length - end - 4)
    } else this.left -= data.length
    if (this.left > 0) return
    this.isBusy = false
    times.push(performance.now() - this.due)
    const next = waiting.shift()
    if (next === undefined) idle.push(this)
    else this.send(next)
  }
}

for (let i = 0; i < 64; i++) idle.push(new Line())
const began = performance.now() + 200
const end = began + seconds * 1000
let sent = 0
const pump = (): void => {
  const now = performance.now()
  for (; began + (sent * 1000) / rate <= now && now < end; sent++) {
    const due = began + (sent * 1000) / rate
    const line = idle.pop()
    if (line) line.send(due)
    else waiting.push(due)
  }
  if (now < end + 500) setImmediate(pump)
  else report()
}
setTimeout(pump, 200)

function report(): void {
  const now = performance.now()
  const overdue = [...waiting, ...all.filter(line => line.isBusy).map(line => line.due)]
  for (const due of overdue) times.push(now - due)
  // The first fifth warms up.
  const sorted = times.slice(Math.floor(times.length / 5)).sort((a, b) => a - b)
  const at = (q: number) => Math.round((sorted[Math.floor(q * (sorted.length - 1))] ?? 0) * 1000)
  console.log(
    JSON.stringify({
      requests: times.length,
      failed,
      overdue: overdue.length,
      p50: at(0.5),
      p99: at(0.99),
      p999: at(0.999),
    }),
  )
  process.exit(0)
}
