// The head that was read last, as the choice sees it: strings only for those who ask.
import type { Asked } from '../asked.ts'
import { END, field, nextField, trimField } from './fields.ts'
import { isName, lower } from './octets.ts'
import { head } from './request-head.ts'

/** Reads `head` and the buffer it was read from; one per thread, valid until the next head is read. */
class HeadView implements Asked {
  buf: Buffer = Buffer.alloc(0)

  method(): string {
    return this.buf.toString('latin1', head.begin, head.methodTo)
  }

  target(): string {
    return head.target ?? this.buf.toString('latin1', head.targetFrom, head.targetTo)
  }

  host(): string {
    return this.buf.toString('latin1', head.hostFrom, head.hostTo)
  }

  header(name: string): string | undefined {
    const { buf } = this
    const wanted = lower(name)
    const glue = name === 'cookie' ? '; ' : ', '
    let value: string | undefined
    for (let at = head.fieldsFrom; nextField(buf, at, head.end) !== END; at = field.next) {
      if (field.nameTo - at !== wanted.length || !isName(buf, at, wanted)) continue
      trimField(buf)
      const part = buf.toString('latin1', field.valueFrom, field.valueTo)
      value = value === undefined ? part : value + glue + part
    }
    return value
  }
}

export const view = new HeadView()
