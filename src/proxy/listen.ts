// Opening a port, with an error that says what to do about it.
import type { Server } from 'node:net'
import { UserError } from '../errors.ts'

/** An address to listen on; no host: all of them. `reusePort`: beside others who do the same. `fd`: a socket that listens
 * there already. */
export type Listen = Readonly<{ host?: string; port: number; reusePort?: boolean; fd?: number }>

/** The file descriptor of a listening server, for another process. Node has no public name for it; undefined on Windows. */
export function fdOf(server: Server): number | undefined {
  const fd = (server as unknown as { _handle?: { fd?: number } })._handle?.fd
  return fd === undefined || fd < 0 ? undefined : fd
}

/** Makes a server listen. Raises UserError PIN4003. */
export function listening(server: Server, { host, port, reusePort, fd }: Listen): Promise<void> {
  return new Promise((done, fail) => {
    const at = `${host ?? ''}:${port}`
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      const why = taken ? `port ${port} is in use` : `cannot listen on ${at}: ${error.message}`
      const hint = taken ? 'Stop the other program or choose another port.' : 'Choose another address or port.'
      fail(new UserError('PIN4003', why, hint))
    })
    if (fd !== undefined) {
      server.listen({ fd, backlog: 4096 }, done)
      return
    }
    const more = { ...(host === undefined ? {} : { host }), ...(reusePort ? { reusePort } : {}) }
    server.listen({ port, backlog: 4096, ...more }, done)
  })
}
