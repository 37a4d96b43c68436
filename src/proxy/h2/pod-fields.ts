// The head of a request as pods get it, in both protocols, with what was made of it kept: the next request may get the same.
import type { H2Request } from './asked.ts'
import { addField, type Headers, keepSecret } from './fields.ts'

export type Field = readonly [name: string, value: string]

export class PodFields {
  readonly list: readonly Field[]
  private lines: string | undefined
  private headers: Headers | undefined

  constructor(list: readonly Field[]) {
    this.list = list
  }

  /** For a pod that speaks HTTP/1.1: the request line and all lines but those on framing and the empty one. */
  head(asked: H2Request, target: string): string {
    if (this.lines === undefined) {
      this.lines = ` HTTP/1.1\r\nHost: ${asked.host()}\r\n`
      for (const [name, value] of this.list) this.lines += `${name}: ${value}\r\n`
      if (asked.trailers) this.lines += 'TE: trailers\r\nConnection: TE\r\n'
    }
    return `${asked.method()} ${target}${this.lines}`
  }

  /** For a pod that speaks h2c: all but the path. TE is what gRPC servers insist on. */
  h2c(asked: H2Request): Headers {
    if (this.headers === undefined) {
      this.headers = {
        ':method': asked.method(),
        ':authority': asked.host(),
        ':scheme': 'http',
        te: 'trailers',
      }
      for (const [name, value] of this.list) addField(this.headers, name, value)
      keepSecret(this.headers, asked.list)
    }
    return this.headers
  }
}
