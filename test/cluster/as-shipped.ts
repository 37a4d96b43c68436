// The controller's way to a cluster as it has it in production: with the ServiceAccount and the role of deploy/rbac, and
// nothing more. What the role refuses is noted.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from '../../src/contract.ts'
import type { Access } from '../../src/kube/access.ts'
import { type UndiciTransport, undiciTransport } from '../../src/kube/undici.ts'
import type { Kube, Transport } from '../../src/ports.ts'
import { root } from './bring-up.ts'

const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }

export type AsShipped = Readonly<{
  transport: UndiciTransport
  /** Requests that were answered with 403, each once. */
  refused(): readonly string[]
}>

/** Applies deploy/rbac and opens a wire with a token of its ServiceAccount, good for a day. Raises an ApiError. */
export async function asShipped(admin: Transport, kube: Kube, access: Access): Promise<AsShipped> {
  const text = readFileSync(join(root, 'deploy/rbac/controller.yaml'), 'utf8')
  const objects = parseAllDocuments(text).map(one => one.toJS() as KubeObject)
  const account = objects.find(({ kind }) => kind === 'ServiceAccount')!
  const { name, namespace = '' } = account.metadata
  const why = 'the test gives the controller its role'
  for (const object of [{ ...NAMESPACE, metadata: { name: namespace } }, ...objects]) {
    await kube.perform({ verb: 'create', object, why }).catch((error: unknown) => {
      if ((error as { reason?: string }).reason !== 'AlreadyExists') throw error
    })
  }
  const token = await admin.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: JSON.stringify({ spec: { expirationSeconds: 86_400 } }),
    contentType: 'application/json',
  })
  const { status } = JSON.parse(token.body) as { status?: { token?: string } }
  if (!status?.token) throw new Error(`no token for the ServiceAccount ${name}: ${token.body}`)
  const { token: _token, ...place } = access
  const wire = undiciTransport({ ...place, token: async () => status.token! })
  const refused = new Set<string>()
  // A namespace on its way out refuses everybody, whatever their role is.
  const note = (code: number, method: string, path: string, body = '') => {
    if (code === 403 && !body.includes('being terminated')) refused.add(`${method} ${path}`)
  }
  return {
    refused: () => [...refused],
    transport: {
      ...wire,
      async request(request) {
        const response = await wire.request(request)
        note(response.status, request.method, request.path, response.body)
        return response
      },
      async stream(request) {
        const stream = await wire.stream(request)
        note(stream.status, 'WATCH', request.path)
        return stream
      },
    },
  }
}
