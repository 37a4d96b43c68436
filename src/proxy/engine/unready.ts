// Connections that were accepted and have not begun: they wait for a PROXY protocol header, or for a TLS handshake. They
// count as connections, and a proxy that leaves does not leave them behind.
import type { Socket } from 'node:net'

export type Unready = Readonly<{
  add(socket: Socket): void
  /** It is ready: `serve` takes it over. */
  begin(socket: Socket, serve: () => void): void
  size(): number
  /** Ends all of them. */
  end(): void
}>

/** `gone` is called when one has begun or ended. */
export function createUnready(gone: () => void): Unready {
  const sockets = new Set<Socket>()
  return {
    add(socket) {
      sockets.add(socket)
      socket.once('close', () => {
        if (sockets.delete(socket)) gone()
      })
    },
    begin(socket, serve) {
      sockets.delete(socket)
      serve()
      gone()
    },
    size: () => sockets.size,
    end() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
