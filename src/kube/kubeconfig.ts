// Kubeconfig files -> Access. Plain ones are read here; plug-ins and cloud logins are left to client-node.
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import * as yaml from 'yaml'
import { UserError } from '../errors.ts'
import type { Access, Tls } from './access.ts'
import { fileToken, loadInCluster } from './in-cluster.ts'

export type KubeconfigOptions = Readonly<{
  /** The one file to read; otherwise those of KUBECONFIG, or ~/.kube/config. */
  path?: string
  context?: string
  /** In place of what the context names. */
  cluster?: string
  user?: string
  env?: Readonly<Record<string, string | undefined>>
}>

type Fields = Readonly<Record<string, unknown>>
type Named = Readonly<{ name: string; folder: string; fields: Fields }>
type Section = 'clusters' | 'users' | 'contexts'
type Merged = Readonly<{ files: readonly string[]; current: string } & Record<Section, readonly Named[]>>

const SECTIONS = { clusters: 'cluster', users: 'user', contexts: 'context' } as const

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** The files to read, in order of precedence, and whether somebody named them. */
function filesOf({ path, env = process.env }: KubeconfigOptions): Readonly<{ files: string[]; isNamed: boolean }> {
  if (path !== undefined) return { files: [path], isNamed: true }
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter(file => file !== '')
  if (named.length > 0) return { files: named, isNamed: true }
  return { files: [join(env['HOME'] ?? homedir(), '.kube', 'config')], isNamed: false }
}

async function readOne(file: string): Promise<Fields | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError('PIN2002', `cannot read the kubeconfig ${file}: ${reason}`, 'Check its permissions.')
  }
  try {
    const parsed: unknown = yaml.parse(text)
    if (parsed === null || isRecord(parsed)) return parsed ?? {}
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new UserError('PIN2003', `the kubeconfig ${file} is not YAML: ${reason}`, 'Mend the file or name another.')
  }
  throw new UserError('PIN2003', `the kubeconfig ${file} holds no mapping`, 'Mend the file or name another.')
}

const entriesOf = (config: Fields, section: Section, folder: string): readonly Named[] => {
  const rows = Array.isArray(config[section]) ? (config[section] as readonly unknown[]) : []
  return rows.filter(isRecord).flatMap(row => {
    const fields = row[SECTIONS[section]]
    const name = textOf(row['name'])
    return name === undefined ? [] : [{ name, folder, fields: isRecord(fields) ? fields : {} }]
  })
}

/** All files as one; of two entries with one name the earlier file's counts, as in kubectl. */
async function merge(files: readonly string[]): Promise<Merged> {
  const merged = { files: [] as string[], current: '', clusters: [], users: [], contexts: [] } as {
    files: string[]
    current: string
  } & Record<Section, Named[]>
  for (const file of files) {
    const config = await readOne(file)
    if (!config) continue
    merged.files.push(file)
    merged.current ||= textOf(config['current-context']) ?? ''
    for (const section of ['clusters', 'users', 'contexts'] as const)
      merged[section].push(...entriesOf(config, section, dirname(file)))
  }
  return merged
}

/** Inline base64 data, or the text of a file beside the kubeconfig. */
async function pem({ fields, folder }: Named, field: string): Promise<string | undefined> {
  const data = textOf(fields[`${field}-data`])
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const file = textOf(fields[field])
  if (file === undefined) return undefined
  const path = isAbsolute(file) ? file : join(folder, file)
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError('PIN2002', `the kubeconfig names a ${field} that cannot be read: ${reason}`, `Check ${path}.`)
  }
}

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

function headersOf({ fields }: Named): NonNullable<Access['headers']> {
  const headers: Record<string, string | string[]> = {}
  const name = textOf(fields['username'])
  if (name !== undefined) headers['authorization'] = basic(name, textOf(fields['password']) ?? '')
  const as = textOf(fields['as'])
  if (as !== undefined) headers['impersonate-user'] = as
  const uid = textOf(fields['as-uid'])
  if (uid !== undefined) headers['impersonate-uid'] = uid
  const groups = fields['as-groups']
  if (Array.isArray(groups)) headers['impersonate-group'] = groups.map(String)
  return headers
}

function tokenOf({ fields, folder }: Named): Access['token'] {
  const token = textOf(fields['token'])
  const file = textOf(fields['tokenFile'])
  // kubectl: the file wins over the text.
  if (file !== undefined) return fileToken(isAbsolute(file) ? file : join(folder, file), () => performance.now())
  return token === undefined ? undefined : async () => token
}

/** What needs a program or a login of its own. */
const needsPlugin = ({ fields }: Named): boolean => isRecord(fields['exec']) || isRecord(fields['auth-provider'])

/** Reads the kubeconfig that kubectl would read; in a Pod without one, the service account.
 * Rejects with UserError: PIN2001 nothing to read, PIN2002 unreadable, PIN2003 not a kubeconfig, PIN2004 no such
 * context, cluster or user, PIN2005 a login plug-in failed. */
export async function loadKubeconfig(options: KubeconfigOptions = {}): Promise<Access> {
  const { env = process.env } = options
  const { files, isNamed } = filesOf(options)
  const merged = await merge(files)
  if (merged.files.length === 0) {
    if (!isNamed && options.context === undefined && env['KUBERNETES_SERVICE_HOST']) return loadInCluster({ env })
    const hint = 'Name one with --kubeconfig or KUBECONFIG, or make one with your cluster’s own tool.'
    throw new UserError('PIN2001', `there is no kubeconfig: ${files.join(', ')} not found`, hint)
  }
  const chosen = options.context ?? merged.current
  if (chosen === '') {
    const hint = 'Name one with --context, or run: kubectl config use-context NAME'
    throw new UserError('PIN2004', `the kubeconfig ${merged.files.join(', ')} names no current context`, hint)
  }
  const context = find(merged, 'contexts', chosen)
  const cluster = find(merged, 'clusters', options.cluster ?? textOf(context.fields['cluster']) ?? '')
  const userName = options.user ?? textOf(context.fields['user'])
  const user = userName === undefined ? { name: '', folder: '', fields: {} } : find(merged, 'users', userName)
  const server = textOf(cluster.fields['server'])
  if (server === undefined || !URL.canParse(server))
    throw new UserError('PIN2003', `the cluster ${cluster.name} has no usable server address`, 'Mend the kubeconfig.')

  const ca = await pem(cluster, 'certificate-authority')
  const cert = await pem(user, 'client-certificate')
  const key = await pem(user, 'client-key')
  const servername = textOf(cluster.fields['tls-server-name'])
  const proxy = textOf(cluster.fields['proxy-url'])
  const token = tokenOf(user)
  const access: Access = {
    server,
    namespace: textOf(context.fields['namespace']) ?? 'default',
    headers: headersOf(user),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
    ...(proxy !== undefined && { proxy }),
    ...(cluster.fields['insecure-skip-tls-verify'] === true && { insecureSkipTlsVerify: true }),
    ...(token && { token }),
  }
  return needsPlugin(user) ? withPlugin(access, cluster, user) : access
}

const absolute = ({ name, folder, fields }: Named): Fields => ({
  name,
  ...Object.fromEntries(
    Object.entries(fields).map(([field, value]) => {
      const isFile = /^(certificate-authority|client-certificate|client-key|tokenFile)$/.test(field)
      return [field, isFile && typeof value === 'string' && !isAbsolute(value) ? join(folder, value) : value]
    }),
  ),
})

/** Access whose credentials come from client-node: exec plug-ins, OIDC and cloud logins. */
async function withPlugin(access: Access, cluster: Named, user: Named): Promise<Access> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const single = yaml.stringify({
    clusters: [{ name: 'it', cluster: absolute(cluster) }],
    users: [{ name: 'it', user: absolute(user) }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'current-context': 'it',
  })
  const load = () => {
    const config = new KubeConfig()
    config.loadFromString(single)
    return config
  }
  let config = load()
  const ask = async () => {
    const options: { headers?: Record<string, string>; cert?: unknown; key?: unknown } = {}
    await config.applyToHTTPSOptions(options as Parameters<typeof config.applyToHTTPSOptions>[0])
    return options
  }
  const tls = async (): Promise<Tls> => {
    const { cert, key } = await ask()
    return {
      ...(access.ca !== undefined && { ca: access.ca }),
      ...(cert !== undefined && { cert: String(cert) }),
      ...(key !== undefined && { key: String(key) }),
    }
  }
  try {
    return {
      ...access,
      ...(await tls()),
      tls,
      async token(refused) {
        // A new one forgets what the last one has cached, which is how a refused token is renewed.
        if (refused !== undefined) config = load()
        return (await ask()).headers?.['Authorization']?.replace(/^Bearer /, '')
      },
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error)
    const message = `the login of the kubeconfig user ${user.name} failed: ${reason}`
    throw new UserError('PIN2005', message, 'Log in again with your cluster’s own tool.')
  }
}

function find(merged: Merged, section: Section, name: string): Named {
  const found = merged[section].find(one => one.name === name)
  if (found) return found
  const names = [...new Set(merged[section].map(one => one.name))]
  const hint = names.length === 0 ? `There are no ${section}.` : `There are: ${names.join(', ')}.`
  const where = merged.files.join(', ')
  throw new UserError('PIN2004', `the kubeconfig ${where} has no ${SECTIONS[section]} "${name}"`, hint)
}
