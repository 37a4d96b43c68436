// HTTP/2 connections of clients, over TLS or by prior knowledge on a plain port.
import type { ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Core } from '../core.ts'
import { type H2Caller, HeadReader } from './asked.ts'
import { NO_ERROR } from './codes.ts'
import { serveStream } from './exchange.ts'
import { SESSION_WINDOW, STREAM_WINDOW, Watch } from './watch.ts'

export type Sessions = Readonly<{
  /** Takes a connection on which the client speaks HTTP/2; what was read of it already is put back first. */
  take(socket: Socket, caller: Omit<H2Caller, 'trusted' | 'forwarded'>): void
  size(): number
  /** Tells clients to open no more streams; each connection ends with its last one. */
  leave(): void
  /** The same for those that came in on a port which is closed. */
  retire(port: number): void
  abort(): void
}>

/** As for HTTP/1.1; the sum counts 32 octets more for each field (RFC 9113 6.5.2). */
const MOST_HEADERS = 48 * 1024
const SETTINGS = {
  maxConcurrentStreams: 250,
  enableConnectProtocol: false,
  initialWindowSize: STREAM_WINDOW,
  maxHeaderListSize: MOST_HEADERS,
}
const OPTIONS = {
  settings: SETTINGS,
  /** Megabytes of a connection's own state. */
  maxSessionMemory: 32,
  /** Streams that a client may open and reset at once, and then a second (CVE-2023-44487). */
  streamResetBurst: 200,
  streamResetRate: 33,
  /** Malformed frames, and streams beyond the allowed number, until the connection is ended. */
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
}
const TICK_MS = 250
/** The last identifier that a stream can have (RFC 9113 5.1.1). */
const LAST_STREAM = 2 ** 31 - 1
/** Milliseconds of silence after which the kernel asks whether the client is still there. */
const PROBE_MS = 30_000
/** Between the notice that the proxy leaves and the last word, in milliseconds: streams may be on their way (RFC 9113 6.8). */
const NOTICE_MS = 100

type Taken = { readonly session: ServerHttp2Session; readonly watch: Watch; readonly port: number; isTold: boolean }

/** `gone` is called when a connection has ended. */
export function createSessions(core: Core, gone: () => void): Sessions {
  const all = new Set<Taken>()
  let ticking: NodeJS.Timeout | undefined
  let last = performance.now()
  let delay = 0
  let wasLate = false
  const { limits } = core
  const finest = Math.min(limits.body, limits.idle, limits.send, limits.connect, limits.answer)
  const tick = (): void => {
    const now = performance.now()
    const isLate = now - last > 2 * delay && !wasLate
    wasLate = isLate
    for (const { watch } of all) watch.tick(now, (now - last) / 1000, isLate)
    last = now
    arm()
  }
  const arm = (): void => {
    // A table may bring a finer limit.
    delay = Math.max(5, Math.min(TICK_MS, finest / 4, core.snapshot().finest / 4))
    ticking = setTimeout(tick, delay).unref()
  }
  const tell = (taken: Taken): void => {
    if (taken.isTold || taken.session.destroyed) return
    taken.isTold = true
    taken.session.goaway(NO_ERROR, LAST_STREAM)
  }
  const leave = (whom: (taken: Taken) => boolean): void => {
    const leaving = [...all].filter(whom)
    for (const taken of leaving) tell(taken)
    setTimeout(() => {
      for (const { session } of leaving) session.close()
    }, NOTICE_MS)
  }
  return {
    take(socket, caller) {
      // Loaded with the first client that speaks it: it costs memory that most proxies never need.
      const http2 = process.getBuiltinModule('node:http2')
      socket.setKeepAlive(true, PROBE_MS)
      // A client that has closed its side says nothing more, so nothing more is said to it.
      socket.allowHalfOpen = false
      const session = http2.performServerHandshake(socket, OPTIONS as never)
      session.setLocalWindowSize(SESSION_WINDOW)
      const watch = new Watch(session, socket, limits, performance.now())
      const taken: Taken = { session, watch, port: caller.port, isTold: false }
      all.add(taken)
      if (ticking === undefined) {
        last = performance.now()
        arm()
      }
      const full = { ...caller, trusted: core.trusts(caller.peer), forwarded: core.marks?.forwarded === true }
      session.on('error', () => {})
      session.on('close', () => {
        all.delete(taken)
        if (all.size === 0) {
          clearTimeout(ticking)
          ticking = undefined
        }
        gone()
      })
      const reader = new HeadReader(full)
      session.on('stream', (stream, headers, flags, list) => {
        const watched = watch.add(stream, performance.now())
        watched.flight = serveStream(core, full, reader, stream, headers, list, (flags & END_STREAM) !== 0)
        if (core.draining()) tell(taken)
      })
    },
    size: () => all.size,
    leave: () => leave(() => true),
    retire: port => leave(taken => taken.port === port),
    abort() {
      for (const { session } of all) session.destroy()
    },
  }
}

const END_STREAM = 1
