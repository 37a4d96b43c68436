// Where route tables come from: the one contract of files, flags, Kubernetes and programs.
import type { Resolve } from './compile.ts'
import type { RouteTable } from './table.ts'

/** What a source tells the proxy. */
export type Sink = Readonly<{
  /** A good table, with a way to find the pods of Services. Called again whenever either changes.
   * `applied`: the generation of each part that it was put together from. */
  table(table: RouteTable, resolve?: Resolve, applied?: Readonly<Record<string, number>>): void
  /** What cannot be used right now, one message per place; empty when all is well. The last good table stays. `faults`:
   * those of them that are a ConfigMap's. */
  problems(messages: readonly string[], faults?: readonly Fault[]): void
}>

/** What is wrong with the table of a ConfigMap (namespace/name): all of it is refused, or one `route` gets less than it asks
 * for. */
export type Fault = Readonly<{ configMap: string; route?: string; message: string }>

export type Source = Readonly<{
  /** For people: `file routes.json`, `ConfigMaps in shop`. */
  about: string
  /** In a cluster: the namespace whose ConfigMaps it follows, '' for all. */
  follows?: string
  /** What keeps it from hearing of changes right now. */
  deaf?(): readonly string[]
  /** Begins to deliver; resolves when the first table is there; the answer stops it.
   * Raises UserError when there will never be a table. */
  start(sink: Sink): Promise<() => void>
}>
