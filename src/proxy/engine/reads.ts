// Reading: every socket of a thread reads into one shared buffer, so that a read allocates nothing. What is read must be
// dealt with before the callback returns, or copied.
//
// `net.Server` cannot hand out sockets that read this way, so an accepted socket gives up its handle and a new socket is
// built around it. That is the one step that Node does not document; it is tried once at the start, and where it fails
// the data of ordinary events is copied into the buffer instead (dearer by a few microseconds per request).
import { connect, createServer, Socket } from 'node:net'

/** Octets in front of what is read, for lines that the proxy adds to a head. */
export const HEADROOM = 2048
const SIZE = 128 * 1024
/** What one read takes while memory is scarce. */
const SMALL = 8 * 1024

/** Takes what was read: [from, to) of the buffer, which may be written to, from 0 to `to`. */
export type Reader = { take(buf: Buffer, from: number, to: number): void }

type Handle = { useUserBuffer(buffer: Uint8Array): void }
type Inner = { _handle: Handle | null }
const innerOf = (socket: Socket): Inner => socket as unknown as Inner

let whole = Buffer.allocUnsafeSlow(HEADROOM + SIZE)
let isScarce = false
let window = windowOf(whole)
const readers = new Set<Socket>()
let isAdopting: boolean | undefined

/** The buffer that sockets read into right now. */
export const sharedBuffer = (): Buffer => whole

/** Leaves the shared buffer to a write that is still under way, and lets all sockets read into a new one. */
export function giveAway(): void {
  whole = Buffer.allocUnsafeSlow(HEADROOM + SIZE)
  pointAll()
}

/** While memory is scarce all sockets read small pieces, so that a slow reader can hold little. */
export function readSmall(scarce: boolean): void {
  if (scarce === isScarce) return
  isScarce = scarce
  pointAll()
}

function windowOf(buffer: Buffer): Buffer {
  return buffer.subarray(HEADROOM, HEADROOM + (isScarce ? SMALL : SIZE))
}

function pointAll(): void {
  window = windowOf(whole)
  for (const socket of readers) innerOf(socket)._handle?.useUserBuffer(window)
}

const onread = (reader: Reader) => ({
  buffer: window,
  callback: (size: number): boolean => {
    reader.take(whole, HEADROOM, HEADROOM + size)
    return true
  },
})

function follow(socket: Socket): Socket {
  readers.add(socket)
  socket.once('close', () => readers.delete(socket))
  return socket
}

/** A socket that reads into the shared buffer, made of one that a server accepted with `pauseOnConnect`. */
export function adopt(accepted: Socket, reader: Reader): Socket {
  if (isAdopting === false) return readByEvents(accepted, reader)
  const handle = innerOf(accepted)._handle
  innerOf(accepted)._handle = null
  return follow(new Socket({ handle, allowHalfOpen: true, onread: onread(reader) } as never))
}

/** Connects; the socket reads into the shared buffer. */
export function dial(host: string, port: number, reader: Reader): Socket {
  const before = window
  const socket = follow(connect({ host, port, noDelay: true, allowHalfOpen: true, onread: onread(reader) } as never))
  // The buffer may have been given away meanwhile; reading begins only after this event.
  socket.once('connect', () => {
    if (before !== window) innerOf(socket)._handle?.useUserBuffer(window)
  })
  return socket
}

/** Takes the handle off a socket, for somebody who reads by other means; what was read of it already comes first. */
export function giveUp(socket: Socket, read: Buffer): Socket {
  readers.delete(socket)
  socket.removeAllListeners()
  if (isAdopting === false) {
    socket.pause()
    socket.unshift(read)
    return socket
  }
  const handle = innerOf(socket)._handle
  innerOf(socket)._handle = null
  const fresh = new Socket({ handle, allowHalfOpen: true, pauseOnCreate: true } as never)
  fresh.unshift(read)
  return fresh
}

/** Lets somebody else read a socket that was adopted; it is a new one to them. */
export function adoptAgain(socket: Socket, reader: Reader): Socket {
  return adopt(giveUp(socket, NOTHING), reader)
}

const NOTHING = Buffer.alloc(0)

/** Reads a socket that cannot be adopted, such as one of TLS. */
export function readByEvents(socket: Socket, reader: Reader): Socket {
  socket.on('data', (data: Buffer) => {
    for (let at = 0; at < data.length; at += SIZE) {
      const size = data.copy(whole, HEADROOM, at, Math.min(data.length, at + SIZE))
      reader.take(whole, HEADROOM, HEADROOM + size)
    }
  })
  return socket.resume()
}

/** Finds out, once per thread, whether sockets can be adopted here. */
export async function tryAdopting(): Promise<boolean> {
  if (isAdopting !== undefined) return isAdopting
  const works = await new Promise<boolean>(done => {
    const timer = setTimeout(() => done(false), 1000)
    const server = createServer({ pauseOnConnect: true }, accepted => {
      try {
        const handle = innerOf(accepted)._handle
        innerOf(accepted)._handle = null
        const buffer = Buffer.alloc(16)
        const socket = new Socket({
          handle,
          onread: {
            buffer,
            callback: (size: number) => {
              done(size === 5 && buffer.toString('latin1', 0, 5) === 'hello')
              clearTimeout(timer)
              socket.destroy()
              return true
            },
          },
        } as never)
        socket.on('error', () => {})
      } catch {
        done(false)
      }
    })
    server.on('error', () => done(false))
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const client = connect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' })
      client.on('error', () => {})
      client.on('close', () => server.close())
      client.write('hello')
    })
  })
  isAdopting = works
  return works
}
