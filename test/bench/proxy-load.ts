// What stands around a proxy under measurement: two origins and the load on core 0, and the clock of a process tree.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { get as getSecure } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The core of origins and load, and the one of the proxy under measurement. */
export const LOAD_CORE = '0'
export const PROXY_CORE = '1'

export type Kind = 'get1k' | 'get64k' | 'post16k' | 'tls1k'
export const KINDS: readonly Kind[] = ['get1k', 'get64k', 'post16k', 'tls1k']
const PATHS: Readonly<Record<Kind, string>> = { get1k: '/1k', get64k: '/64k', post16k: '/post', tls1k: '/1k' }

/** Everything that was started, to be stopped whatever happens. */
const started: (() => void)[] = []

/** Programs that run right now and end by themselves. */
const running = new Set<ChildProcess>()

/** Stops whatever was started. */
export function stopAll(): void {
  for (const child of running) child.kill('SIGKILL')
  for (const stop of started.splice(0).reverse()) stop()
}

/** Runs a program to its end on the core of the load; what it printed. Raises an Error when it fails. */
export async function runLoad(command: readonly string[]): Promise<string> {
  const promise = run('taskset', ['-c', LOAD_CORE, ...command])
  running.add(promise.child)
  try {
    return (await promise).stdout
  } finally {
    running.delete(promise.child)
  }
}

/** Starts a command on one core; raises an Error when it ends by itself at once. */
export async function startOn(
  core: string,
  command: string,
  args: readonly string[],
  port: number,
  isSecure = false,
): Promise<number> {
  const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  let code: number | null | undefined
  child.stderr.on('data', part => {
    said = (said + part).slice(-2000)
  })
  child.on('error', error => {
    said = error.message
    code = -1
  })
  child.on('exit', status => {
    code = status ?? 0
  })
  started.push(() => child.kill('SIGTERM'))
  for (let i = 0; i < 200 && code === undefined; i++) {
    if (await answers(port, isSecure)) return child.pid!
    await sleep(50)
  }
  throw new Error(`${command} does not answer on port ${port}: ${said.trim()}`)
}

function answers(port: number, isSecure: boolean): Promise<boolean> {
  const ask = isSecure ? getSecure : get
  const options = { port, host: '127.0.0.1', path: '/1k', timeout: 1000, rejectUnauthorized: false, agent: false }
  return new Promise(done => {
    const req = ask(options, res => {
      res.resume().on('end', () => done(true))
    })
    req.on('timeout', () => req.destroy())
    req.on('error', () => done(false))
  })
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Is a program on this machine? */
export async function has(program: string): Promise<boolean> {
  return run('which', [program]).then(
    () => true,
    () => false,
  )
}

/** Ports of two origins, stable and canary; behind them those on which the same two speak HTTP/2 without TLS. */
export type Origins = readonly [stable: number, canary: number, h2Stable: number, h2Canary: number]

/** Two origins: 1 KB and 64 KB with usual headers, and a short answer to a POST; those that speak HTTP/2 are one nginx. */
export async function startOrigins(folder: string): Promise<Origins> {
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const
  const [stable, canary, h2Stable, h2Canary] = ports
  const www = join(folder, 'www')
  mkdirSync(www)
  writeFileSync(join(www, '1k'), 'x'.repeat(1024))
  writeFileSync(join(www, '64k'), 'x'.repeat(65536))
  const conf = join(folder, 'origin.conf')
  const health = await freePort()
  writeFileSync(
    conf,
    `worker_processes 1; daemon off; pid ${folder}/origin.pid; error_log /dev/null;
events { worker_connections 8192; }
http {
  access_log off; sendfile on; tcp_nopush off; open_file_cache max=10;
  keepalive_requests 1000000000; keepalive_timeout 3600s; client_body_buffer_size 64k;
  server {
    listen 127.0.0.1:${health}; listen 127.0.0.1:${h2Stable} http2; listen 127.0.0.1:${h2Canary} http2;
    http2_max_concurrent_streams 250;
    root ${www};
    location / { }
    location = /post { return 200 "ok"; }
  }
}
`,
  )
  await startOn(LOAD_CORE, 'nginx', ['-c', conf], health)
  const script = join(import.meta.dirname, 'proxy-origin.ts')
  await startOn(LOAD_CORE, process.execPath, [script, `${stable}`, `${canary}`], stable)
  return ports
}

/** Scripts for wrk: a head as browsers send it, some 360 octets. */
export function writeScripts(folder: string): void {
  const fields = [
    ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'],
    ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['Accept-Language', 'en-US,en;q=0.5'],
    ['Accept-Encoding', 'gzip, deflate, br'],
    ['Cookie', 'session=0123456789abcdef; theme=dark'],
  ]
  const head = fields.map(([name, value]) => `wrk.headers["${name}"] = "${value}"`).join('\n')
  const report = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('JSON{"requests":%d,"errors":%d,"micros":%d,"p50":%d,"p99":%d}\\n', summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, summary.duration, latency:percentile(50), latency:percentile(99)))
end
`
  for (const kind of KINDS) {
    const body = kind === 'post16k' ? 'wrk.method = "POST"\nwrk.body = string.rep("x", 16384)\n' : ''
    writeFileSync(join(folder, `${kind}.lua`), `${head}\n${body}${report}`)
  }
}

export type Load = Readonly<{ requests: number; errors: number; micros: number; p50: number; p99: number }>

/** Keeps so many connections busy for so many seconds. Latencies in microseconds. */
export async function load(
  folder: string,
  kind: Kind,
  port: number,
  connections: number,
  seconds: number,
): Promise<Load> {
  const args = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', join(folder, `${kind}.lua`)]
  const scheme = kind === 'tls1k' ? 'https' : 'http'
  const stdout = await runLoad([...args, `${scheme}://127.0.0.1:${port}${PATHS[kind]}`])
  const [, json] = /JSON(\{.*\})/.exec(stdout) ?? []
  if (json === undefined) throw new Error(`wrk said nothing that can be read: ${stdout}`)
  return JSON.parse(json)
}

/** A process and all that it started. */
function treeOf(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const parent = Number(
        readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[1],
      )
      children.set(parent, [...(children.get(parent) ?? []), Number(name)])
    } catch {
      // It ended meanwhile.
    }
  }
  const all = [pid]
  for (const one of all) all.push(...(children.get(one) ?? []))
  return all
}

/** Processor time that a process tree had, in nanoseconds, of all threads. */
export function cpuOf(pid: number): number {
  let sum = 0
  for (const one of treeOf(pid))
    for (const thread of readdirSync(`/proc/${one}/task`))
      sum += Number(readFileSync(`/proc/${one}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  return sum
}

/** Resident size of a process tree, in MB. */
export function residentOf(pid: number): number {
  let sum = 0
  for (const one of treeOf(pid))
    sum += Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1] ?? 0) / 1024
  return sum
}
