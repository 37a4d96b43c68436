// Opening a port, with an error that says what to do about it.
import type { Server } from 'node:net'
import { UserError } from '../errors.ts'

/** An address to listen on; no host: all of them. */
export type Listen = Readonly<{ host?: string; port: number }>

/** Makes a server listen. Raises UserError PIN4003. */
export function listening(server: Server, { host, port }: Listen): Promise<void> {
  return new Promise((done, fail) => {
    const at = `${host ?? ''}:${port}`
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      const why = taken ? `port ${port} is in use` : `cannot listen on ${at}: ${error.message}`
      const hint = taken ? 'Stop the other program or choose another port.' : 'Choose another address or port.'
      fail(new UserError('PIN4003', why, hint))
    })
    server.listen({ port, backlog: 4096, ...(host === undefined ? {} : { host }) }, done)
  })
}
