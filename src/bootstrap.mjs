// Runs before `npm start` and `npm test`, on any Node: installs what is missing, once, with one progress line.
// Plain JavaScript without dependencies, because it runs before there are any.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const stamp = 'node_modules/.pintle-installed'
const wanted = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
const forTests = process.argv.includes('--tests')

/** Runs a command quietly; on failure prints what it said and ends this process. */
function run(what, command, args) {
  const started = Date.now()
  const tty = process.stderr.isTTY
  const line = () => `${what} (first run only) … ${Math.round((Date.now() - started) / 1000)} s`
  const tick = tty ? setInterval(() => process.stderr.write(`\r${line()}`), 500) : undefined
  if (!tty) process.stderr.write(`${what} (first run only) …\n`)
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })
    let said = ''
    child.stdout.on('data', data => (said += data))
    child.stderr.on('data', data => (said += data))
    const fail = reason => {
      process.stderr.write(`\n${said}\npintle: ${what.toLowerCase()} failed: ${reason}\n`)
      process.stderr.write(
        `What to do: check the network and disk space, then run \`${command} ${args.join(' ')}\` by hand.\n`,
      )
      process.exit(1)
    }
    child.on('error', error => fail(error.message))
    child.on('close', code => {
      clearInterval(tick)
      if (code !== 0) return fail(`exit code ${code}`)
      process.stderr.write(tty ? `\r${line()}, done\n` : `${line()}, done\n`)
      resolve()
    })
  })
}

const have = existsSync(stamp) ? readFileSync(stamp, 'utf8').trim().split(' ') : []
if (have[0] !== wanted) {
  await run('Installing dependencies', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(stamp, wanted)
}
if (forTests && !(have[0] === wanted && have[1] === 'tap')) {
  // tap's default plugin loads a compiler API that TypeScript 7 no longer has; building without it is a one-time step.
  await run('Preparing the test runner', 'node_modules/.bin/node', ['node_modules/.bin/tap', 'build'])
  writeFileSync(stamp, `${wanted} tap`)
}
