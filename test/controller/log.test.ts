// What a line of the controller's log looks like to those who read it, and to their pipelines.
import { test } from 'tap'
import { createLog } from '../../src/controller/log.ts'

const linesOf = (options: Parameters<typeof createLog>[0]): string[] => {
  const lines: string[] = []
  const log = createLog({ ...options, write: line => lines.push(line) })
  log.debug({ key: 'a/b' }, 'looks')
  log.warn({ key: 'a/b', error: 'not "now"', count: 2, ready: true, none: '' }, 'goes on')
  return lines
}

test('JSON names its levels by words, as the incumbent does', async t => {
  const [line = '', ...more] = linesOf({ format: 'JSON' })
  t.same(more, [], 'debug is not asked for')
  const { time, ...rest } = JSON.parse(line)
  t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  t.same(rest, { level: 'warning', key: 'a/b', error: 'not "now"', count: 2, ready: true, none: '', msg: 'goes on' })
})

test('text is logfmt, and short on a terminal', async t => {
  const [line = ''] = linesOf({ format: 'text', isTty: false })
  t.equal(
    line.replace(/time="[^"]+"/, 'time'),
    'time level=warning msg="goes on" key=a/b error="not \\"now\\"" count=2 ready=true none=\n',
  )
  const [debug = '', warn = ''] = linesOf({ format: 'text', isTty: true, level: 'TRACE' })
  t.match(debug, /^\S+Z DEBUG looks key=a\/b\n$/)
  t.match(warn, /^\S+Z WARN {2}goes on key=a\/b /)
})

test('a level that there is not is refused', async t => {
  t.throws(() => createLog({ level: 'loud' }), { code: 'PIN1010' })
})

test('an Error is told with its message', async t => {
  const lines: string[] = []
  for (const format of ['json', 'text']) {
    createLog({ format, isTty: false, write: line => lines.push(line) }).error({ error: new Error('no way') }, 'failed')
  }
  for (const line of lines) t.match(line, /Error: no way/)
})
