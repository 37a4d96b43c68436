// The access rules that the adapters ask for, read from their folders.
import { readdir } from 'node:fs/promises'
import type { PolicyRule } from '../src/contract.ts'

/** The `rbac` of every traffic adapter, metric provider and step plugin, by file name. Files that begin with `_` are no adapters. */
export async function adapterRules(): Promise<PolicyRule[]> {
  const rules: PolicyRule[] = []
  for (const folder of ['traffic', 'metrics', 'steps']) {
    const home = new URL(`../adapters/${folder}/`, import.meta.url)
    const names = (await readdir(home)).filter(name => /^[^_].*(?<!\.d)\.[tj]s$/.test(name))
    for (const name of names.sort()) {
      const { default: adapter } = (await import(new URL(name, home).href)) as { default?: { rbac?: PolicyRule[] } }
      rules.push(...(adapter?.rbac ?? []))
    }
  }
  return rules
}
