// Replaces this proxy by a new process without a refused connection: the successor is given the listening sockets, says
// when it serves, and only then does this one leave. Where it does not come up, this one goes on.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import type { Handed } from './handed.ts'
import { INHERIT, type Inherited } from './inherited.ts'

/** So long a successor may take until it serves, in milliseconds. */
const LIMIT_MS = 30_000
/** How often it is told what this process still has, in milliseconds. */
const TELL_MS = 100

export type Successor = Readonly<{
  pid: number
  /** Tells it for the last time. */
  leave(): void
}>

/** Starts a successor: the same program with the same arguments, from what lies on the disk now. It hears from `tell` what this
 * process has, until this process ends. Resolves when it serves. Rejects with an Error that says why it does not; it is ended then. */
export async function startSuccessor(
  sockets: Omit<Inherited, 'ready'>,
  tell: () => Handed | undefined,
  limit = LIMIT_MS,
): Promise<Successor> {
  const { stdio, told } = numbered(sockets)
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['ignore', 'inherit', 'inherit', ...stdio, 'pipe'],
    env: { ...process.env, [INHERIT]: JSON.stringify(told) },
  })
  // Both ways: stdio pipes are pairs of sockets.
  const pipe = child.stdio[told.ready!] as Duplex & { unref(): void }
  const telling = setInterval(() => speak(pipe, tell), TELL_MS).unref()
  speak(pipe, tell)
  try {
    await isServing(child, pipe, limit)
  } catch (error) {
    clearInterval(telling)
    child.kill('SIGKILL')
    throw error
  }
  child.removeAllListeners()
  child.unref()
  pipe.unref()
  return {
    pid: child.pid!,
    leave() {
      clearInterval(telling)
      speak(pipe, tell)
    },
  }
}

/** What is told later holds all that is new by then: a successor that does not read is not told more. */
function speak(pipe: Duplex, tell: () => Handed | undefined): void {
  if (pipe.writableLength > 0 || !pipe.writable) return
  const handed = tell()
  if (handed) pipe.write(`${JSON.stringify(handed)}\n`)
}

/** The child's descriptors follow the three usual ones in the order of `stdio`. */
function numbered({ main, ports, admin }: Omit<Inherited, 'ready'>) {
  const stdio: number[] = []
  const give = (fd: number): number => stdio.push(fd) + 2
  const told: Inherited = {
    main: main.map(give),
    ports: Object.fromEntries(Object.entries(ports).map(([port, fds]) => [port, fds.map(give)])),
    ...(admin === undefined ? {} : { admin: give(admin) }),
    ready: main.length + Object.values(ports).flat().length + (admin === undefined ? 0 : 1) + 3,
  }
  return { stdio, told }
}

function isServing(child: ChildProcess, pipe: Duplex, limit: number): Promise<void> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`it does not serve after ${limit / 1000} s`)), limit)
    const over = (end: () => void): void => {
      clearTimeout(timer)
      end()
    }
    pipe.once('data', () => over(done))
    pipe.on('error', () => {})
    child.once('error', error => over(() => fail(error)))
    child.once('exit', (code, signal) => over(() => fail(new Error(`it ended with ${signal ?? `exit code ${code}`}`))))
  })
}
