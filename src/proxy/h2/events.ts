// What happens to a client's stream, told to one listener by the stream's own `emit`. Listeners of node:http2's streams are
// dear (each is announced by an event, and one that is heard once is wrapped), and a short request would need six.
import { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'

export type Listener = {
  /** The stream is over. */
  closed(): void
  /** It takes more of the answer again. */
  drained(): void
  /** The trailers of its request came, before the end of its body is told. */
  trailed(came: IncomingHttpHeaders): void
}

const LISTENER = Symbol('listener')
type Heard = ServerHttp2Stream & { [LISTENER]?: Listener }

/** Lets `listener` hear of a stream. Its errors are followed by its end, and not told. */
export function hear(stream: ServerHttp2Stream, listener: Listener): void {
  const heard = stream as Heard
  heard[LISTENER] = listener
  heard.emit = tell as typeof stream.emit
}

const emit = EventEmitter.prototype.emit

function tell(this: Heard, event: string | symbol, ...args: unknown[]): boolean {
  if (event === 'close') this[LISTENER]?.closed()
  else if (event === 'drain') this[LISTENER]?.drained()
  else if (event === 'trailers') this[LISTENER]?.trailed(args[0] as IncomingHttpHeaders)
  // A reset without an error leaves it half alive until its body is read, which may be never.
  else if (event === 'aborted') setImmediate(destroy, this)
  else if (event === 'error') return true
  return Reflect.apply(emit, this, [event, ...args])
}

const destroy = (stream: ServerHttp2Stream): void => void stream.destroy()
