// How many connections the files that a process may have open are enough for.
import { readFileSync } from 'node:fs'

/** For listeners, the table, the API server, and idle connections to pods. */
const OTHERS = 60

/** So many are no worry: most clients are idle, and have no connection to a pod. */
const PLENTY = 8192

/** Connections of clients that this process has files for, each with one to a pod: where files are few, clients beyond that
 * are better turned away than served without pods. 0: as many as come; there are plenty, or nobody says (not on Linux). */
export function connectionsByFiles(limits: () => string = () => readFileSync('/proc/self/limits', 'utf8')): number {
  try {
    const files = Number(/^Max open files\s+(\d+)/m.exec(limits())?.[1] ?? Number.POSITIVE_INFINITY)
    return files < PLENTY ? Math.max(1, Math.floor((files - OTHERS) / 2)) : 0
  } catch {
    return 0
  }
}
