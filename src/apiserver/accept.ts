// Content negotiation: whole objects, rows of a table, or metadata alone; always as JSON.
import { StatusError } from './model.ts'

export type Form = Readonly<{ as: 'object' | 'table' | 'metadata'; contentType: string; apiVersion: string }>

type Offer = Readonly<{ type: string; parameters: ReadonlyMap<string, string> }>

const offersOf = (header: string): Offer[] =>
  header
    .split(',')
    .map(part => part.split(';').map(piece => piece.trim()))
    .filter(([type]) => type)
    .map(([type = '', ...parameters]) => ({
      type: type.toLowerCase(),
      parameters: new Map(parameters.map(text => text.split('=', 2) as [string, string])),
    }))

const isJson = (type: string): boolean => type === 'application/json' || type === '*/*' || type === 'application/*'

/** The form that an Accept header asks for first among those that there are. Raises 406. */
export const negotiate = (header: string): Form => {
  const plain: Form = { as: 'object', contentType: 'application/json', apiVersion: '' }
  if (header.trim() === '') return plain
  const offers = offersOf(header).filter(({ type }) => isJson(type))
  if (offers.length === 0) {
    const message = '406: Not Acceptable\n\nAvailable representations: application/json'
    throw new StatusError(406, 'NotAcceptable', message, {})
  }
  for (const { parameters } of offers) {
    const as = parameters.get('as')
    if (as === undefined) return plain
    const [group, version] = [parameters.get('g'), parameters.get('v')]
    if (group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue
    const contentType = `application/json;as=${as};v=${version};g=${group}`
    const apiVersion = `${group}/${version}`
    if (as === 'Table') return { as: 'table', contentType, apiVersion }
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
      return { as: 'metadata', contentType, apiVersion }
    }
  }
  throw new StatusError(406, 'NotAcceptable', 'only the following media types are accepted: application/json')
}
