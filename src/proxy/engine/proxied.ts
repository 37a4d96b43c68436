// Connections that begin with a PROXY protocol header: it is read and taken off before anybody else reads.
import type { Socket } from 'node:net'
import { readProxyHeader } from './proxy-header.ts'

/** A balancer sends it with its first octets, in milliseconds. */
const LIMIT_MS = 5000

/** Reads the header of an accepted, paused connection. `ready` hears who is behind it (undefined: the peer itself) and what
 * was read beyond; the socket is paused again. `refused` hears why a connection was closed. */
export function readProxied(
  socket: Socket,
  ready: (peer: string | undefined, rest: Buffer) => void,
  refused: (why: string) => void,
): void {
  let came: Buffer = Buffer.alloc(0)
  const end = (why: string): void => {
    stop()
    socket.destroy()
    refused(why)
  }
  const timer = setTimeout(() => end('no PROXY protocol header in time'), LIMIT_MS)
  const stop = (): void => {
    clearTimeout(timer)
    socket.removeListener('data', take)
    socket.removeListener('close', stop)
    socket.pause()
  }
  const take = (data: Buffer): void => {
    came = came.length === 0 ? data : Buffer.concat([came, data])
    const header = readProxyHeader(came)
    if (header === 'more') return
    if ('why' in header) {
      end(header.why)
      return
    }
    stop()
    ready(header.peer, came.subarray(header.size))
  }
  socket.on('error', ignore)
  socket.on('close', stop)
  socket.on('data', take)
  socket.resume()
}

function ignore(): void {}
