// Each command that measures says what it does when asked, and refuses what it does not understand.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'

const root = join(import.meta.dirname, '../..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const benches = Object.entries(scripts).filter(([name]) => name.startsWith('bench:') || name === 'laws')

const run = (script: string, ...args: string[]) => {
  const file = /node (test\S+)$/.exec(script)![1]!
  return spawnSync(process.execPath, [file, ...args], { cwd: root, encoding: 'utf8', timeout: 60_000 })
}

test('benches explain themselves', async t => {
  t.ok(benches.length >= 6)
  for (const [name, script] of benches) {
    const help = run(script, '--help')
    t.match(help, { status: 0, stdout: new RegExp(`Usage: npm run ${name}`), stderr: '' }, name)
    t.match(help.stdout, /Example/, name)
    const wrong = run(script, '--no-such-flag')
    t.match(wrong, { status: 2, stdout: '', stderr: /no-such-flag/ }, name)
  }
})
