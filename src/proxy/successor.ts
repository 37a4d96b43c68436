// Replaces this proxy by a new process without a refused connection: the successor is given the listening sockets, says
// when it serves, and only then does this one leave. Where it does not come up, this one goes on.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { INHERIT, type Inherited } from './inherited.ts'

/** So long a successor may take until it serves, in milliseconds. */
const LIMIT_MS = 30_000

/** Starts a successor: the same program with the same arguments, from what lies on the disk now. Resolves with its pid when
 * it serves. Rejects with an Error that says why it does not; it is ended then. */
export async function startSuccessor(sockets: Omit<Inherited, 'ready'>, limit = LIMIT_MS): Promise<number> {
  const { stdio, told } = numbered(sockets)
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['ignore', 'inherit', 'inherit', ...stdio, 'pipe'],
    env: { ...process.env, [INHERIT]: JSON.stringify(told) },
  })
  try {
    await isServing(child, child.stdio[told.ready!] as Readable, limit)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  child.removeAllListeners()
  child.unref()
  return child.pid!
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

function isServing(child: ChildProcess, pipe: Readable, limit: number): Promise<void> {
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
