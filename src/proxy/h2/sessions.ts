// HTTP/2 connections of clients, over TLS or by prior knowledge on a plain port.
import type { ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Core } from '../core.ts'
import type { H2Caller } from './asked.ts'
import { serveStream } from './exchange.ts'

export type Sessions = Readonly<{
  /** Takes a connection on which the client speaks HTTP/2; what was read of it already is put back first. */
  take(socket: Socket, caller: Omit<H2Caller, 'trusted' | 'forwarded'>): void
  size(): number
  /** Tells clients to open no more streams; each connection ends with its last one. */
  leave(): void
  abort(): void
}>

const SETTINGS = { maxConcurrentStreams: 250, enableConnectProtocol: false, initialWindowSize: 1024 * 1024 }
/** Streams that a client may open and reset at once before the session is closed on it (CVE-2023-44487). */
const MOST_RESETS = 200

/** `gone` is called when a connection has ended. */
export function createSessions(core: Core, gone: () => void): Sessions {
  const sessions = new Set<ServerHttp2Session>()
  return {
    take(socket, caller) {
      // Loaded with the first client that speaks it: it costs memory that most proxies never need.
      const http2 = process.getBuiltinModule('node:http2')
      const session = http2.performServerHandshake(socket, {
        settings: SETTINGS,
        maxSessionMemory: 32,
        streamResetBurst: MOST_RESETS,
        streamResetRate: 33,
      } as never)
      sessions.add(session)
      const full = { ...caller, trusted: core.trusts(caller.peer), forwarded: core.marks?.forwarded === true }
      session.setTimeout(core.limits.idle, () => session.close())
      session.on('error', () => {})
      session.on('close', () => {
        sessions.delete(session)
        gone()
      })
      session.on('stream', (stream, headers, flags) => serveStream(core, full, stream, headers, (flags & 1) !== 0))
    },
    size: () => sessions.size,
    leave() {
      for (const session of sessions) session.close()
    },
    abort() {
      for (const session of sessions) session.destroy()
    },
  }
}
