// Starts slow-proxy.ts and asks it what it costs, with a crowd before it and others beside the crowd.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Limits } from '../../src/proxy/core.ts'
import type { ProxyOptions } from '../../src/proxy/start.ts'
import { ask, only, type rawPod } from './kit.ts'
import type { Cost } from './slow-proxy.ts'

type Test = Parameters<typeof rawPod>[0]

export type Child = Readonly<{
  port: number
  url: string
  /** After all that can be collected was collected. */
  cost(): Promise<Cost>
}>

/** A proxy in a process of its own, in front of `pod`. */
export const child = (t: Test, pod: string, limits: Partial<Limits> = {}): Promise<Child> =>
  childOf(t, { table: only(pod), limits })

/** A proxy in a process of its own. */
export async function childOf(t: Test, options: ProxyOptions): Promise<Child> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const started = fork(join(import.meta.dirname, 'slow-proxy.ts'), [JSON.stringify(options)], {
    execArgv: ['--expose-gc', '--no-warnings'],
    env,
  })
  t.teardown(() => started.kill('SIGKILL'))
  const [port] = (await once(started, 'message')) as [number]
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async cost() {
      started.send('cost')
      const [cost] = (await once(started, 'message')) as [Cost]
      return cost
    },
  }
}

/** Opens `count` connections that say `bytes` and read nothing; they are closed with the test. */
export async function crowd(t: Test, port: number, count: number, bytes: string | Buffer): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    if (bytes.length > 0) socket.write(bytes)
    return socket
  })
  await Promise.all(sockets.map(socket => new Promise(done => socket.once('connect', done))))
  return sockets
}

/** The slowest of some requests beside the crowd, in milliseconds. */
export async function beside(
  t: Test & { equal(a: unknown, b: unknown): unknown },
  proxy: Child,
  path = '/1/1000',
): Promise<number> {
  let slowest = 0
  for (let i = 0; i < 30; i++) {
    const began = performance.now()
    t.equal((await ask(proxy.url, path)).status, 200)
    slowest = Math.max(slowest, performance.now() - began)
  }
  return slowest
}

/** Writes `part` again and again until `most` octets are out or nothing more is taken; what was got rid of. */
export async function push(sockets: readonly Socket[], part: Buffer, most: number): Promise<number> {
  let sent = 0
  const each = most / sockets.length
  for (const socket of sockets) {
    let own = 0
    const more = (): void => {
      while (own < each && socket.writable) {
        own += part.length
        sent += part.length
        if (!socket.write(part)) return void socket.once('drain', more)
      }
    }
    more()
  }
  let last = -1
  while (last !== sent) {
    last = sent
    await sleep(150)
  }
  return sent - sockets.reduce((sum, socket) => sum + socket.writableLength, 0)
}
