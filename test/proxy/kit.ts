// Pods, a proxy in front of them and raw clients, on loopback; everything is closed with the test.
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, createServer as createTcp, type Socket } from 'node:net'
import { type ProxyOptions, type RunningProxy, startProxy } from '../../src/proxy/start.ts'
import type { RouteTableInput } from '../../src/proxy/table.ts'

/** The part of a tap test that this needs. */
type Test = { teardown(end: () => unknown): unknown }

export type Pod = { url: string; port: number; server: Server; requests: IncomingMessage[]; close(): Promise<void> }

/** A pod that answers with `answer`, a text or a listener. */
export async function pod(t: Test, answer: string | RequestListener): Promise<Pod> {
  const requests: IncomingMessage[] = []
  const listener: RequestListener =
    typeof answer === 'string' ? (req, res) => void req.resume().on('end', () => res.end(answer)) : answer
  const server = createServer((req, res) => {
    requests.push(req)
    listener(req, res)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const port = (server.address() as AddressInfo).port
  const close = () =>
    new Promise<void>(done => {
      server.close(() => done())
      server.closeAllConnections()
    })
  t.teardown(close)
  return { url: `http://127.0.0.1:${port}`, port, server, requests, close }
}

/** A TCP server that hands each connection over, for pods that misbehave. */
export async function rawPod(t: Test, onConnection: (socket: Socket) => void): Promise<{ url: string; port: number }> {
  const sockets = new Set<Socket>()
  const server = createTcp(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>(done => server.close(() => done()))
  })
  const port = (server.address() as AddressInfo).port
  return { url: `http://127.0.0.1:${port}`, port }
}

/** A port where nothing listens, below those that the system hands out: nobody takes it in the meantime. */
export async function deadPort(): Promise<number> {
  for (;;) {
    const port = 21_000 + Math.floor(Math.random() * 10_000)
    const server = createTcp()
    const isFree = await new Promise<boolean>(done => {
      server.once('error', () => done(false))
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
    })
    if (isFree) return port
  }
}

/** Waits until so many requests are counted: that happens after the client has its answer. */
export const counted = (running: RunningProxy, requests: number): Promise<void> =>
  eventually(() => running.stats(null, 300).total.requests === requests, `${requests} requests counted`)

export async function proxy(t: Test, options: ProxyOptions): Promise<RunningProxy> {
  const started = await startProxy({ seed: 1, ...options })
  t.teardown(() => started.close())
  return started
}

type RouteInput = NonNullable<RouteTableInput['routes']>[number]

/** A table of one route that sends everything to one address. */
export const only = (url: string, more: Partial<RouteInput> = {}): RouteTableInput => ({
  routes: [{ name: 'web', dests: [{ role: 'stable', weight: 100, upstream: url }], ...more }],
})

/** A table of stable and canary; `weight` in per cent. */
export const split = (stable: string, canary: string, weight: number): RouteTableInput => ({
  routes: [
    {
      name: 'web',
      dests: [
        { role: 'stable', weight: 100 - weight, upstream: stable },
        { role: 'canary', weight, upstream: canary },
      ],
    },
  ],
})

export type Answer = {
  status: number
  headers: IncomingMessage['headers']
  trailers: NodeJS.Dict<string>
  body: string
}

/** One request with node:http. Rejects when the answer is cut. */
export function ask(
  base: string,
  path = '/',
  options: Parameters<typeof request>[1] & { body?: string | Buffer } = {},
): Promise<Answer> {
  const { body, ...rest } = options
  return new Promise((done, fail) => {
    const req = request(new URL(path, base), rest, res => {
      let text = ''
      res.setEncoding('latin1').on('data', part => {
        text += part
      })
      res.on('error', fail)
      res.on('end', () =>
        done({ status: res.statusCode ?? 0, headers: res.headers, trailers: res.trailers, body: text }),
      )
    })
    req.on('error', fail)
    req.end(body)
  })
}

export type Wire = {
  socket: Socket
  said: () => string
  until(part: string | RegExp): Promise<string>
  closed: Promise<string>
}

/** A raw connection: what came so far, and a promise for its end. */
export function wire(t: Test, port: number, bytes = ''): Wire {
  const socket = connect(port, '127.0.0.1')
  let said = ''
  const listeners = new Set<() => void>()
  socket.setEncoding('latin1').on('data', part => {
    said += part
    for (const listener of listeners) listener()
  })
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  const closed = new Promise<string>(done => socket.on('close', () => done(said)))
  if (bytes !== '') socket.write(bytes)
  return {
    socket,
    said: () => said,
    closed,
    until: part =>
      new Promise((done, fail) => {
        const look = () => {
          if (typeof part === 'string' ? !said.includes(part) : !part.test(said)) return
          listeners.delete(look)
          done(said)
        }
        listeners.add(look)
        socket.on('close', () => fail(new Error(`closed before ${part}; it said: ${said}`)))
        look()
      }),
  }
}

/** Waits until something holds; fails after two seconds. For effects that arrive over sockets. */
export async function eventually(holds: () => boolean, what: string, within = 2000): Promise<void> {
  const end = Date.now() + within
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${within / 1000} s: ${what}`)
    await new Promise(done => setTimeout(done, 5))
  }
}

/** Answers after a promise. */
export const later =
  (go: Promise<unknown>, body: string) =>
  (_req: IncomingMessage, res: ServerResponse): void =>
    void go.then(() => res.end(body))
