// Where a simulated Pod really listens: the loopback address behind the one that the API shows.
import { dialMap } from '../proxy/start.ts'

/** Addresses of the simulated cluster, and where they really are: Linux answers on all of 127/8. */
export const DIAL_MAP = '10.0.0.0/8=127.0.0.0/8'

/** The socket behind a Pod's address and port, as proxies with this map dial it. */
export const dialAddress = dialMap(DIAL_MAP)
