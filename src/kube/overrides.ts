// What a command line overrules of a kubeconfig, with client-go's flags.
import { readFile } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import type { Access } from './access.ts'

export type Overrides = Readonly<{
  server?: string
  certificateAuthority?: string
  clientCertificate?: string
  clientKey?: string
  tlsServerName?: string
  insecureSkipTlsVerify?: boolean
  proxyUrl?: string
  token?: string
  username?: string
  password?: string
  as?: string
  asUid?: string
  asGroup?: readonly string[]
  /** Entries of the kubeconfig. */
  cluster?: string
  user?: string
}>

async function pem(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError('PIN2002', `the file of ${flag} cannot be read: ${reason}`, `Check ${file}.`)
  }
}

function headersOf(given: Overrides): NonNullable<Access['headers']> {
  const { username, password = '', as, asUid, asGroup } = given
  const basic = username === undefined ? undefined : Buffer.from(`${username}:${password}`).toString('base64')
  return {
    ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
    ...(as === undefined ? {} : { 'impersonate-user': as }),
    ...(asUid === undefined ? {} : { 'impersonate-uid': asUid }),
    ...(asGroup === undefined ? {} : { 'impersonate-group': [...asGroup] }),
  }
}

/** `access` with what was given instead. Rejects with UserError: PIN2002 a file cannot be read, PIN2003 no address. */
export async function overridden(access: Access, given: Overrides): Promise<Access> {
  const { server, certificateAuthority, clientCertificate, clientKey, token } = given
  if (server !== undefined && !URL.canParse(server))
    throw new UserError('PIN2003', `invalid --server "${server}"`, 'Give an address such as https://10.0.0.1:6443.')
  const ca = certificateAuthority && (await pem('--certificate-authority', certificateAuthority))
  const cert = clientCertificate && (await pem('--client-certificate', clientCertificate))
  const key = clientKey && (await pem('--client-key', clientKey))
  const pems = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  const { tls, token: own, ...rest } = access
  // Whoever gives a name and a password wants no token of the kubeconfig.
  const keepsToken = token === undefined && given.username === undefined && own
  return {
    ...rest,
    ...(server === undefined ? {} : { server: server.replace(/\/+$/, '') }),
    ...pems,
    ...(tls && { tls: async () => ({ ...(await tls()), ...pems }) }),
    ...(given.tlsServerName === undefined ? {} : { servername: given.tlsServerName }),
    ...(given.insecureSkipTlsVerify ? { insecureSkipTlsVerify: true } : {}),
    ...(given.proxyUrl === undefined ? {} : { proxy: given.proxyUrl }),
    ...(keepsToken ? { token: own } : {}),
    ...(token === undefined ? {} : { token: async () => token }),
    headers: { ...access.headers, ...headersOf(given) },
  }
}
