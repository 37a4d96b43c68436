// A pod that says when it answers what, and clients who ask it all at once.
import type { Socket } from 'node:net'
import type { ProxyOptions, RunningProxy } from '../../src/proxy/start.ts'
import { eventually, only, proxy, rawPod, type Wire, wire } from './kit.ts'

type Test = Parameters<typeof rawPod>[0]

/** A connection to the pod: paths that it has not answered yet, and all heads that came. */
export type Line = { socket: Socket; due: string[]; heads: string[]; isOpen: boolean }

export type PipePod = {
  url: string
  lines: Line[]
  /** Does it answer at once? */
  isQuick: boolean
}

export const answerTo = (path: string, more = ''): string => {
  const body = `<${path}>`
  return `HTTP/1.1 200 OK\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`
}

/** What a pod answers; for HEAD without the body. */
const quick = (head: string): string => {
  const path = head.split(' ')[1]!
  const whole = answerTo(path)
  return head.startsWith('HEAD ') ? whole.slice(0, whole.indexOf('\r\n\r\n') + 4) : whole
}

/** Answers at once until it is told to wait. It reads bodies of a length. */
export async function pipePod(t: Test): Promise<PipePod> {
  const lines: Line[] = []
  const found: PipePod = { url: '', lines, isQuick: true }
  const { url } = await rawPod(t, socket => {
    const line: Line = { socket, due: [], heads: [], isOpen: true }
    lines.push(line)
    socket.on('close', () => {
      line.isOpen = false
    })
    let text = ''
    socket.on('data', part => {
      text += part.toString('latin1')
      let answers = ''
      for (;;) {
        const end = text.indexOf('\r\n\r\n')
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
        if (end < 0 || text.length < end + 4 + length) break
        const head = text.slice(0, end)
        text = text.slice(end + 4 + length)
        line.heads.push(head)
        if (found.isQuick) answers += quick(head)
        else line.due.push(head.split(' ')[1]!)
      }
      if (answers !== '') socket.write(answers)
    })
  })
  return Object.assign(found, { url })
}

export const get = (path: string, method = 'GET'): string => `${method} ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`

/** A proxy that shares connections to this pod. */
export const sharing = (
  t: Test,
  pod: PipePod,
  options: Partial<ProxyOptions> = {},
  more = {},
): Promise<RunningProxy> => {
  const table = only(pod.url, more)
  table.routes![0]!.dests[0]!.pipelining = true
  return proxy(t, { table, ...options })
}

/** Clients whose requests wait at the pod, `least` or more of them on one connection: that one, and who asks on it, in the
 * order of the requests. */
export type Crowd = { line: Line; inLine: Wire[]; others: Wire[]; paths: string[] }

let rounds = 0

/** Lets `n` clients ask at once until some of them share a connection. */
export async function crowd(t: Test, running: RunningProxy, pod: PipePod, n = 8, least = 3): Promise<Crowd> {
  for (let tries = 0; tries < 50; tries++) {
    const round = ++rounds
    const wires = Array.from({ length: n }, () => wire(t, running.port))
    // They are known already, and so is a connection to the pod.
    for (const [i, w] of wires.entries()) {
      w.socket.write(get(`/warm${round}-${i}`))
      await w.until(`</warm${round}-${i}>`)
    }
    pod.isQuick = false
    const paths = wires.map((_, i) => `/${round}-${i}`)
    for (const [i, w] of wires.entries()) w.socket.write(get(paths[i]!))
    const asked = () => pod.lines.filter(l => l.isOpen).flatMap(l => l.due)
    await eventually(() => paths.every(path => asked().includes(path)), 'all have come to the pod')
    const line = pod.lines.find(l => l.isOpen && l.due.length >= least)
    if (line) {
      const inLine = line.due.map(path => wires[paths.indexOf(path)]!)
      return { line, inLine, others: wires.filter(w => !inLine.includes(w)), paths: [...line.due] }
    }
    pod.isQuick = true
    for (const { socket, due } of pod.lines) for (const path of due.splice(0)) socket.write(answerTo(path))
    for (const w of wires) {
      await w.until(/<\/\d+-\d+>/)
      w.socket.destroy()
    }
  }
  throw new Error('nobody shared a connection')
}

/** Answers everything that waits, and from now on at once. */
export function release(pod: PipePod, except?: Line): void {
  pod.isQuick = true
  for (const line of pod.lines)
    if (line !== except) for (const path of line.due.splice(0)) line.socket.write(answerTo(path))
}
