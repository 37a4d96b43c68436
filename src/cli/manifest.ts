// Manifests from files: what they hold, and which of their fields no kind of ours has.
import { readFile } from 'node:fs/promises'
import { text as textOf } from 'node:stream/consumers'
import type { KubeObject } from '../contract.ts'
import { UserError } from '../errors.ts'

async function read(file: string): Promise<string> {
  try {
    return file === '-' ? await textOf(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as { code?: string }
    // argo: this text, so that scripts that look for it keep working
    throw code === 'ENOENT' ? new Error(`open ${file}: no such file or directory`) : error
  }
}

type YamlProblem = Readonly<{ code: string; message: string; linePos?: readonly Readonly<{ line: number }>[] }>

/** argo: `yaml: line 2: …`; the commonest mistake has the words that people search for. */
function yamlText({ code, message, linePos }: YamlProblem): string {
  const isNested = code === 'BLOCK_AS_IMPLICIT_KEY' || message.startsWith('Nested mappings')
  const said = message.split(/ at line |\n/)[0] ?? message
  return `yaml: line ${linePos?.[0]?.line ?? 1}: ${isNested ? 'mapping values are not allowed in this context' : said}`
}

/** The documents of a YAML or JSON file; `-` is stdin. Raises UserError on what is no manifest. */
export async function readManifests(file: string): Promise<readonly KubeObject[]> {
  const text = await read(file)
  const { parseAllDocuments } = await import('yaml')
  const documents = parseAllDocuments(text)
  return (Array.isArray(documents) ? documents : []).flatMap(document => {
    const problem = document.errors[0]
    if (problem) throw new UserError('', yamlText(problem as YamlProblem))
    return objectsIn(file, document.toJS())
  })
}

/** The object of a document, or those of a List as `kubectl get -o yaml` prints it. */
function objectsIn(file: string, object: unknown): readonly KubeObject[] {
  if (object === null) return []
  const { apiVersion, kind, metadata, items } = object as Partial<KubeObject> & { items?: unknown }
  if (kind === 'List' && Array.isArray(items)) return items.flatMap(item => objectsIn(file, item))
  const isObject = typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata === 'object'
  if (isObject && metadata !== null) return [object as KubeObject]
  throw new UserError('PIN1005', `${file}: a document lacks apiVersion, kind or metadata`, 'Each must be an object.')
}

type Schema = Readonly<{
  properties?: Readonly<Record<string, Schema>>
  additionalProperties?: unknown
  items?: Schema
  'x-kubernetes-preserve-unknown-fields'?: boolean
}>

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The first member, in depth, that the schema does not know. */
function firstUnknown(value: unknown, schema: Schema | undefined): string | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = firstUnknown(item, schema?.items)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isRecord(value) || !schema?.properties) return undefined
  for (const [key, member] of Object.entries(value)) {
    const inner = schema.properties[key]
    const isOpen = schema.additionalProperties !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true
    if (!inner && !isOpen) return key
    const found = firstUnknown(member, inner)
    if (found !== undefined) return found
  }
  return undefined
}

type Definition = Readonly<{
  names: Readonly<{ kind: string }>
  versions: readonly Readonly<{ schema: Readonly<{ openAPIV3Schema: Schema }> }>[]
}>

/** Raises a UserError that names the first field below `spec` that the object's kind does not have. Kinds that are not
 * ours pass. */
export async function refuseUnknownFields(object: KubeObject): Promise<void> {
  if (!object.apiVersion.startsWith('argoproj.io/')) return
  const { crds } = await import('../api/crd.ts')
  const definitions = crds().map(crd => crd['spec'] as Definition)
  const schema = definitions.find(({ names }) => names.kind === object.kind)?.versions[0]?.schema.openAPIV3Schema
  const field = firstUnknown(object['spec'], schema?.properties?.['spec'])
  if (field !== undefined) {
    throw new UserError('', `error unmarshaling JSON: while decoding JSON: json: unknown field "${field}"`)
  }
}
