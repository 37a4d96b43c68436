// The service account of the Pod that we run in: address, CA and a token that the kubelet keeps renewing.
import { readFile } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { Access } from './access.ts'

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'
const FRESH = 60_000

export type InClusterOptions = Readonly<{
  folder?: string
  env?: Readonly<Record<string, string | undefined>>
  now?: Clock['now']
}>

/** A token out of a file: read anew after 60 s or when it was refused, trimmed; the last good one is kept while the
 * file cannot be read. At most one read is under way. */
export function fileToken(path: string, now: Clock['now']): (refused?: string) => Promise<string | undefined> {
  let token: string | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<string | undefined> | undefined

  const read = async () => {
    try {
      const text = (await readFile(path, 'utf8')).trim()
      if (text !== '') token = text
      readAt = now()
    } catch (error) {
      if (token === undefined) throw error
    } finally {
      reading = undefined
    }
    return token
  }

  return async refused => {
    if (token !== undefined && token !== refused && now() - readAt < FRESH) return token
    reading ??= read()
    return reading
  }
}

/** Access as the Pod's service account. Rejects with UserError PIN2001 outside a Pod. */
export async function loadInCluster(options: InClusterOptions = {}): Promise<Access> {
  const { folder = FOLDER, env = process.env, now = () => performance.now() } = options
  const host = env['KUBERNETES_SERVICE_HOST']
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443'
  const readCa = async () => ({ ca: await readFile(`${folder}/ca.crt`, 'utf8') })
  const token = fileToken(`${folder}/token`, now)
  try {
    if (!host) throw new Error('KUBERNETES_SERVICE_HOST is not set')
    await token()
    // client-go: the variable goes before the file.
    const namespace =
      env['POD_NAMESPACE'] || (await readFile(`${folder}/namespace`, 'utf8').catch(() => 'default')).trim()
    const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
    return { server, namespace, ...(await readCa()), token, tls: readCa }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError('PIN2001', `not running in a Kubernetes Pod: ${reason}`, 'Give a kubeconfig, or run in a Pod.')
  }
}
