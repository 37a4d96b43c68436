// The process inside a simulated Pod: an HTTP server that says who it is, fails and dawdles as told, and drains.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Random } from '../ports.ts'
import type { Behaviour } from './behaviour.ts'

export type PodServer = Readonly<{
  /** Answers that keep a connection open tell the client from now on to let it go. */
  drain(): void
  /** Stops accepting and resolves once the running requests are answered. */
  close(): Promise<void>
  /** Cuts what is left. */
  kill(): void
}>

export type PodServerOptions = Readonly<{
  host: string
  ports: readonly number[]
  pod: string
  behaviour: Behaviour
  random: Random
  log?: (line: string) => void
}>

/** Listens on every port; rejects with the system's error (EADDRINUSE …) when it cannot. */
export async function startPodServer(options: PodServerOptions): Promise<PodServer> {
  const { host, ports } = options
  let draining = false
  const answer = responder(options, () => draining)
  const servers: Server[] = []
  try {
    for (const port of ports) servers.push(await listen(createServer(answer), host, port))
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
  return {
    drain() {
      draining = true
    },
    async close() {
      draining = true
      await Promise.all(servers.map(server => new Promise<void>(done => server.close(() => done()))))
    },
    kill() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<Server> {
  // A proxy keeps its connections for long; the server must not be the one who tires first.
  server.keepAliveTimeout = 75_000
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.removeListener('error', reject)
      resolve(server)
    })
  })
}

const PROBE = 'kube-probe/'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

function responder({ pod, behaviour, random, log }: PodServerOptions, isDraining: () => boolean): Answer {
  const { version, errorRate, latency, neverReady } = behaviour
  const send = (request: IncomingMessage, response: ServerResponse, status: number) => {
    const path = request.url ?? '/'
    const body = `{"version":${JSON.stringify(version)},"pod":${JSON.stringify(pod)},"path":${JSON.stringify(path)}}\n`
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-version': version,
      'x-pod': pod,
      ...(isDraining() && { connection: 'close' }),
    })
    response.end(body)
    if (status >= 500) log?.(`${request.method} ${path} ${status}`)
  }
  return (request, response) => {
    if (request.headers['user-agent']?.startsWith(PROBE)) {
      send(request, response, neverReady ? 503 : 200)
      return
    }
    const status = errorRate > 0 && random() < errorRate ? 500 : 200
    if (latency === 0) {
      send(request, response, status)
      return
    }
    const timer = setTimeout(() => send(request, response, status), latency)
    response.once('close', () => clearTimeout(timer))
  }
}
