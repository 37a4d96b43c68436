// The certificate of the front: read from files, followed as they change, the last good one kept.
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { UserError } from '../errors.ts'

/** Files in PEM: the certificate with its chain, and its key. */
export type TlsFiles = Readonly<{ cert: string; key: string }>

export type Certificate = Readonly<{
  /** What servers are opened with. */
  options(): SecureContextOptions
  /** Called with each new certificate. */
  onChange(use: (options: SecureContextOptions) => void): void
  /** What is wrong with the files now; the certificate before is in force. */
  problem(): string | undefined
  stop(): void
}>

/** Mounted Secrets change by a symbolic link that watches miss: files are looked at this often, in milliseconds. */
const LOOK_MS = 500

/** Reads the files and follows them. Raises UserError PIN4007 when they cannot be used at the start. */
export async function followCertificate(files: TlsFiles, lookMs = LOOK_MS): Promise<Certificate> {
  let current = await read(files)
  let said = await signature(files)
  let problem: string | undefined
  const users: ((options: SecureContextOptions) => void)[] = []
  const look = async (): Promise<void> => {
    try {
      const now = await signature(files)
      if (now === said && problem === undefined) return
      current = await read(files)
      said = now
      problem = undefined
      for (const use of users) use(current)
    } catch (error) {
      problem = `${error instanceof Error ? error.message : String(error)}; the certificate before stays in force`
    }
  }
  const timer = setInterval(look, lookMs).unref()
  return {
    options: () => current,
    onChange: use => void users.push(use),
    problem: () => problem,
    stop: () => clearInterval(timer),
  }
}

async function signature({ cert, key }: TlsFiles): Promise<string> {
  const parts = await Promise.all([cert, key].map(file => stat(file)))
  return parts.map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`).join(' ')
}

async function read(files: TlsFiles): Promise<SecureContextOptions> {
  try {
    const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)])
    // It throws when the two do not belong together.
    createSecureContext({ cert, key })
    return { cert, key }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const hint = 'Both must be PEM files that belong together, and this user must be able to read them.'
    throw new UserError('PIN4007', `cannot use the certificate ${files.cert} with the key ${files.key}: ${why}`, hint)
  }
}
