// Where a simulated Pod really listens: the loopback address behind the one that the API shows.

/** The socket behind a Pod's address and port: 10.a.b.c is 127.a.b.c, since Linux answers on all of 127/8; ports below
 * 1024, which need privileges, are 20000 higher. Addresses outside 10/8 are left alone. */
export function dialAddress(podIP: string, port: number): Readonly<{ host: string; port: number }> {
  if (!podIP.startsWith('10.')) return { host: podIP, port }
  return { host: `127.${podIP.slice(3)}`, port: port < 1024 ? 20_000 + port : port }
}
