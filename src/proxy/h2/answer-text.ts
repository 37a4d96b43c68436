// The head of an HTTP/2 pod's answer as HTTP/1.1 has it, for a client that speaks that.
import { STATUS_CODES } from '../builtin-http.ts'
import { ENDS_HERE } from './fields.ts'
import { fieldOf } from './wire/heads.ts'
import type { HeaderList } from './wire/hpack-decode.ts'

let lastList: HeaderList = []
let lastBare = false
let lastText = Buffer.alloc(0)

/** The octets up to the empty line. `isBare`: nothing follows, so a body without a length is none; else it comes in chunks.
 * `toHead`: the answer to a HEAD says what it says. */
export function answerText(list: HeaderList, status: number, isBare: boolean, toHead: boolean): Buffer {
  if (list === lastList && isBare === lastBare && !toHead) return lastText
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!
    if (!name.startsWith(':') && !ENDS_HERE.has(name)) text += `${name}: ${list[i + 1]}\r\n`
  }
  const hasBody = !toHead && status >= 200 && status !== 204 && status !== 304
  if (hasBody && fieldOf(list, 'content-length') === undefined)
    text += isBare ? 'Content-Length: 0\r\n' : 'Transfer-Encoding: chunked\r\n'
  const octets = Buffer.from(`${text}\r\n`, 'latin1')
  if (toHead) return octets
  lastList = list
  lastBare = isBare
  lastText = octets
  return octets
}
