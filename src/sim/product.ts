// The product's controller on a virtual world: the same code as in a cluster, on a wire that is a function call.
import { directTransport } from '../apiserver/direct.ts'
import { startController } from '../controller/manager.ts'
import { loadKnown, loadProviders } from '../controller/registry.ts'
import type { Fetch, Log, Transport } from '../ports.ts'
import type { Started, World } from './world.ts'

export type ProductOptions = Readonly<{
  log?: Log
  /** Answers the requests of metric providers; refuses all of them by default. */
  fetch?: Fetch
  /** Put around the wire, to see or to spoil what passes. */
  wrap?: (inner: Transport) => Transport
  /** Are providers asked by interfaces of their own? `fetch` answers. */
  asksProviders?: boolean
  /** See Known. */
  apiVersions?: Readonly<Record<string, string>>
}>

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} }

const nowhere: Fetch = async request => {
  throw new Error(`there is nothing behind ${request.url} in this world`)
}

/** To be given as `controller` to a world. */
export const product =
  ({
    log = quiet,
    fetch = nowhere,
    wrap = inner => inner,
    asksProviders = false,
    apiVersions = {},
  }: ProductOptions = {}) =>
  async ({ server, clock, random }: World): Promise<Started> => {
    const [known, providers] = await Promise.all([loadKnown(), loadProviders()])
    const transport = wrap(directTransport(server))
    return startController({
      transport,
      clock,
      random,
      log,
      known: { ...known, asksProviders, apiVersions },
      providers,
      fetch,
    })
  }
