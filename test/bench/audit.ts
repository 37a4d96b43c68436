// The writes of one client, counted from the API server's audit log.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Entry = Readonly<{
  verb: string
  userAgent?: string
  objectRef?: Readonly<{ resource: string; subresource?: string }>
}>

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])
const POLICY = 'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n'

export type Counts = ReadonlyMap<string, number>

export type Audit = Readonly<{
  /** Flags for the API server. */
  flags: string
  /** Writes so far of clients whose user agent begins with `agent`, by `verb resource`. */
  writes(agent: string): Counts
}>

/** An audit log in a folder. */
export function auditIn(folder: string): Audit {
  const [policy, log] = [join(folder, 'policy.yaml'), join(folder, 'audit.log')]
  writeFileSync(policy, POLICY)
  return {
    flags: `--audit-policy-file=${policy} --audit-log-path=${log} --audit-log-maxsize=2000`,
    writes(agent) {
      const counts = new Map<string, number>()
      const text = existsSync(log) ? readFileSync(log, 'utf8') : ''
      for (const line of text.split('\n')) {
        if (!line.includes(agent)) continue
        const { verb, userAgent = '', objectRef } = JSON.parse(line) as Entry
        if (!userAgent.startsWith(agent) || !WRITES.has(verb) || !objectRef) continue
        const { resource, subresource } = objectRef
        const what = `${verb} ${subresource ? `${resource}/${subresource}` : resource}`
        counts.set(what, (counts.get(what) ?? 0) + 1)
      }
      return counts
    },
  }
}

/** What was added since. */
export const since = (before: Counts, after: Counts): Counts =>
  new Map([...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)] as const).filter(([, n]) => n > 0))
