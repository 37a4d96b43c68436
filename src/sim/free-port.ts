// Which ports of loopback are free.
import { createServer } from 'node:net'

/** Can a port of loopback be listened on? */
export const isFree = (port: number): Promise<boolean> =>
  new Promise(done => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })

/** The port, or 0 (any) when something listens there: who runs two demos, or has something else at 8080, gets another. */
export const freeOrAny = async (port: number): Promise<number> => ((await isFree(port)) ? port : 0)
