// Which parts of an object's metadata an argument may name: what the downward API knows.
import { labelKeyFaults } from '../../api/rules/names.ts'

/** Is this one of metadata.name, namespace, uid, annotations['key'] or labels['key']?
 * source: the field paths of Kubernetes' downward API. */
export function isFieldPath(path: string): boolean {
  const [, field, key] = /^(.*)\['(.*)'\]$/.exec(path) ?? []
  if (field === undefined)
    return ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'].includes(
      path,
    )
  if (field === 'metadata.annotations') return labelKeyFaults((key ?? '').toLowerCase()).length === 0
  return field === 'metadata.labels' && labelKeyFaults(key ?? '').length === 0
}
