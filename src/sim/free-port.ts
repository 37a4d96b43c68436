// A port that nobody asked for by name need not be that one: who runs two demos, or has something else at 8080, gets another.
import { createServer } from 'node:net'

/** The port on loopback, or 0 (any) when something listens there. */
export const freeOrAny = (port: number): Promise<number> =>
  new Promise(done => {
    const server = createServer()
    server.once('error', () => done(0))
    server.listen(port, '127.0.0.1', () => server.close(() => done(port)))
  })
