// HTTP/2 clients and pods on loopback, with node:http2; everything is closed with the test.
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createServer as createH2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'

type Test = { teardown(end: () => unknown): unknown }
export type Heard = {
  status: number
  headers: IncomingHttpHeaders
  trailers: IncomingHttpHeaders
  body: string
  code: number
}

/** A connection of a client. */
export function open(t: Test, url: string, options = {}): ClientHttp2Session {
  const session = connect(url, options)
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  return session
}

/** One request; resolves when the stream has ended, however it did. */
export function call(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Heard> {
  return new Promise(done => {
    const stream = session.request(headers, { endStream: body === undefined })
    const heard: Heard = { status: 0, headers: {}, trailers: {}, body: '', code: 0 }
    stream.on('response', got => {
      heard.headers = got
      heard.status = Number(got[':status'])
    })
    stream.on('trailers', got => {
      heard.trailers = got
    })
    stream.setEncoding('latin1').on('data', part => {
      heard.body += part
    })
    stream.on('error', () => {})
    stream.on('close', () => done({ ...heard, code: stream.rstCode }))
    if (body !== undefined) stream.end(body)
  })
}

/** A pod that speaks h2c. */
export async function h2cPod(
  t: Test,
  serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  settings = {},
) {
  const server = createH2Server({ settings })
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', session => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    serve(stream, headers)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { url: `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`, sessions }
}
