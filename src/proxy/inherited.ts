// Listening sockets that this process was given: by the proxy that it replaces, or by systemd (sd_listen_fds(3)). Whoever
// holds them, the kernel keeps what connects in one queue, so nobody is refused while one process follows another.
import { UserError } from '../errors.ts'

/** File descriptors. `main`: of the main port, one for each thread; `ports`: of the ports that tables ask for. */
export type Inherited = Readonly<{
  main: readonly number[]
  ports: Readonly<Record<string, readonly number[]>>
  admin?: number
  /** A pipe to the process before: to say that this one serves, and to hear what that one still has (predecessor.ts). */
  ready?: number
}>

/** The variable in which a proxy tells its successor what it gets. */
export const INHERIT = 'PINTLE_INHERIT'
/** The first descriptor of systemd. */
const FIRST = 3

/** What this process was given, undefined for nothing. systemd's sockets are the main port's, but for one with the name
 * `admin` (FileDescriptorName=). Raises UserError PIN4009. */
export function inheritedFrom(env: Readonly<Record<string, string | undefined>>, pid: number): Inherited | undefined {
  const { [INHERIT]: told, LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' } = env
  if (told !== undefined) return read(told)
  if (count === undefined || Number(forPid) !== pid) return undefined
  if (!/^[1-9]\d?$/.test(count))
    throw new UserError(
      'PIN4009',
      `LISTEN_FDS is ${count}`,
      'systemd sets it to the number of sockets; set none by hand.',
    )
  const fds = Array.from({ length: Number(count) }, (_, i) => FIRST + i)
  const admin = fds.find(fd => names.split(':')[fd - FIRST] === 'admin')
  return { main: fds.filter(fd => fd !== admin), ports: {}, ...(admin === undefined ? {} : { admin }) }
}

function read(text: string): Inherited {
  try {
    return JSON.parse(text) as Inherited
  } catch {
    throw new UserError(
      'PIN4009',
      `${INHERIT} is not what a proxy writes`,
      'It is set by a proxy that is replaced; set none by hand.',
    )
  }
}
