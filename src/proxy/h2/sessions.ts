// HTTP/2 connections of clients, over TLS or by prior knowledge on a plain port.
import type { Socket } from 'node:net'
import type { Core } from '../core.ts'
import type { Slow } from '../engine/front.ts'
import { adoptAgain, readByEvents } from '../engine/reads.ts'
import { type H2Caller, HeadReader } from './asked.ts'
import { serveStream } from './exchange.ts'
import { Watch } from './watch.ts'
import { Connection } from './wire/connection.ts'
import type { HeaderList } from './wire/hpack-decode.ts'
import type { Owner, Terms } from './wire/owner.ts'
import type { Stream } from './wire/stream.ts'

export type Sessions = Readonly<{
  /** Takes a connection on which the client speaks HTTP/2. `read`: what was read of it already. */
  take(socket: Socket, isTls: boolean, read: Buffer, caller: Omit<H2Caller, 'trusted' | 'forwarded'>): void
  size(): number
  /** Those for which octets are held. `now` in milliseconds since the process began. */
  slow(now: number): Slow[]
  /** Tells clients to open no more streams; each connection ends with its last one. */
  leave(): void
  /** The same for those that came in on a port which is closed. */
  retire(port: number): void
  abort(): void
}>

const TERMS: Terms = {
  isServer: true,
  streams: 250,
  /** The second is more than the first, so that one upload which waits for its pod does not hold up the others. */
  streamWindow: 256 * 1024,
  window: 2 * 1024 * 1024,
  /** As for HTTP/1.1; the sum counts 32 octets more for each field (RFC 9113 6.5.2). */
  headerList: 48 * 1024,
}
const TICK_MS = 250
/** Milliseconds of silence after which the kernel asks whether the client is still there. */
const PROBE_MS = 30_000
/** Between the notice that the proxy leaves and the last word, in milliseconds: streams may be on their way (RFC 9113 6.8). */
const NOTICE_MS = 100

/** One client's connection. */
class Session implements Owner {
  readonly port: number
  readonly connection = new Connection(this, TERMS)
  readonly watch: Watch
  private readonly core: Core
  private readonly caller: H2Caller
  private readonly reader: HeadReader
  private readonly gone: (session: Session) => void
  private isTold = false

  constructor(core: Core, caller: H2Caller, gone: (session: Session) => void) {
    this.core = core
    this.port = caller.port
    this.caller = caller
    this.reader = new HeadReader(caller)
    this.watch = new Watch(this.connection, core.limits, performance.now())
    this.gone = gone
  }

  /** `read`: what was read of the socket before. */
  begin(socket: Socket, isTls: boolean, read: Buffer): void {
    const { connection } = this
    connection.begin(isTls ? readByEvents(socket, connection) : adoptAgain(socket, connection), isTls)
    connection.socket.setKeepAlive(true, PROBE_MS)
    if (read.length > 0) connection.take(read, 0, read.length)
  }

  begins(stream: Stream, list: HeaderList | null, isBare: boolean): void {
    const watched = this.watch.add(stream, performance.now())
    watched.flight = serveStream(this.core, this.caller, this.reader, stream, list, isBare)
    if (this.core.draining()) this.notice()
  }

  /** Tells the client that the proxy leaves, once. */
  notice(): void {
    if (this.isTold) return
    this.isTold = true
    this.connection.notice()
  }

  closed(): void {
    this.gone(this)
  }

  readEnds(): void {
    this.watch.judge()
  }

  settled(): void {}
}

/** `gone` is called when a connection has ended. */
export function createSessions(core: Core, gone: () => void): Sessions {
  const all = new Set<Session>()
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
  const leave = (whom: (session: Session) => boolean): void => {
    const leaving = [...all].filter(whom)
    for (const session of leaving) session.notice()
    setTimeout(() => {
      for (const { connection } of leaving) connection.leave()
    }, NOTICE_MS)
  }
  const ended = (session: Session): void => {
    all.delete(session)
    if (all.size === 0) {
      clearTimeout(ticking)
      ticking = undefined
    }
    gone()
  }
  return {
    take(socket, isTls, read, caller) {
      const full = { ...caller, trusted: core.trusts(caller.peer), forwarded: core.marks?.forwarded === true }
      const session = new Session(core, full, ended)
      all.add(session)
      if (ticking === undefined) {
        last = performance.now()
        arm()
      }
      session.begin(socket, isTls, read)
    },
    size: () => all.size,
    slow: now => [...all].map(({ watch, connection }) => ({ ...watch.held(now), cut: () => connection.destroy() })),
    leave: () => leave(() => true),
    retire: port => leave(session => session.port === port),
    abort() {
      for (const { connection } of all) connection.destroy()
    },
  }
}
