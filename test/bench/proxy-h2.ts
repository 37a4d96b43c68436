// The HTTP/2 rows of `npm run bench:proxy`: the same origins and clock as its other rows, with h2load in front.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { one } from '../kube/certificates.ts'
import { type Contender, startContender } from './proxy-contenders.ts'
import { cpuOf, freePort, has, type Origins, PROXY_CORE, runLoad, startOn } from './proxy-load.ts'
import type { Round } from './proxy-table.ts'

/** GET of 1 KB and 64 KB over TLS (h2), by prior knowledge (h2c), and the latter with origins that speak it too, as for gRPC. */
export const H2_KINDS: readonly string[] = ['h2get1k', 'h2get64k', 'h2cget1k', 'h2cget64k', 'grpc1k', 'grpc64k']
const CONNECTIONS = 16
const STREAMS = 32

/** Where a proxy takes HTTP/2. */
type Doors = Readonly<{ h2: Door; h2c: Door; grpc: Door }>
type Door = Readonly<{ pid: number; port: number }>

const START: Readonly<Record<string, (folder: string, origins: Origins) => Promise<Doors>>> = {
  pintle: async (folder, origins) => {
    const { pid, port, secure }: Contender = await startContender('pintle', folder, origins, true)
    return { h2: secure!, h2c: { pid, port }, grpc: await startContender('pintle-h2c', folder, origins, false) }
  },
  nginx: startNginx,
  haproxy: startHaproxy,
}

/** The rows of those `kinds` that are HTTP/2, by kind and proxy; none, with a word about it, where h2load is missing.
 * `failed` hears of requests that failed. */
export async function measureH2(
  asked: Readonly<{ kinds: readonly string[]; proxies: readonly string[]; rounds: number; seconds: number }>,
  folder: string,
  origins: Origins,
  failed: (name: string, count: number) => void,
  progress: (line: string) => void,
): Promise<Record<string, Record<string, Round[]>>> {
  const rows: Record<string, Record<string, Round[]>> = {}
  const kinds = asked.kinds.filter(kind => H2_KINDS.includes(kind))
  if (kinds.length === 0) return rows
  if (!(await has('h2load'))) {
    console.error(`${kinds.join(', ')} are left out: h2load is not installed (apt-get install nghttp2-client)`)
    return rows
  }
  writeFileSync(join(folder, 'tls.crt'), one.cert)
  writeFileSync(join(folder, 'tls.key'), one.key)
  writeFileSync(join(folder, 'tls.pem'), `${one.cert}\n${one.key}\n`)
  const doors: [string, Doors][] = []
  for (const name of asked.proxies) {
    const start = START[name]
    if (!start || (name !== 'pintle' && !(await has(name)))) continue
    try {
      doors.push([name, await start(folder, origins)])
    } catch (error) {
      console.error(`${name} is left out of HTTP/2: ${error instanceof Error ? error.message : error}`)
      failed(name, 1)
    }
  }
  for (const kind of kinds) {
    const byName = Object.fromEntries(doors.map(([name]) => [name, [] as Round[]]))
    rows[kind] = byName
    // Round 0 warms up.
    for (let round = 0; round <= asked.rounds; round++)
      for (const [name, { h2, h2c, grpc }] of doors) {
        progress(`${kind}, round ${round} of ${asked.rounds}: ${name}`)
        const { pid, port } = kind.startsWith('grpc') ? grpc : kind.startsWith('h2c') ? h2c : h2
        const before = cpuOf(pid)
        const { requests, errors, rate, p99 } = await load(folder, kind, port, round === 0 ? 1 : asked.seconds)
        const cpu = (cpuOf(pid) - before) / 1000 / Math.max(1, requests)
        failed(name, errors)
        if (round > 0) byName[name]!.push({ round, cpu, rate, p99 })
      }
  }
  return rows
}

const HEADERS = [
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  'accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language: en-US,en;q=0.5',
  'accept-encoding: gzip, deflate, br',
  'cookie: session=0123456789abcdef; theme=dark',
]

/** Keeps the streams busy for so many seconds. `p99` in microseconds. */
async function load(folder: string, kind: string, port: number, seconds: number) {
  const log = join(folder, 'h2load.log')
  writeFileSync(log, '')
  const scheme = kind.startsWith('h2get') ? 'https' : 'http'
  const path = kind.endsWith('64k') ? '64k' : '1k'
  const said = await runLoad([
    ...['h2load', '-t1', `-c${CONNECTIONS}`, `-m${STREAMS}`, `-D${seconds}`, `--log-file=${log}`],
    // As browsers have it: its own windows are 64 KB.
    ...['-w', '20', '-W', '24', ...HEADERS.flatMap(header => ['-H', header])],
    `${scheme}://127.0.0.1:${port}/${path}`,
  ])
  const [, rate] = /finished in [^,]*, ([\d.]+) req\/s/.exec(said) ?? []
  const counts = /(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(said)
  if (rate === undefined || !counts) throw new Error(`h2load said nothing that can be read: ${said}`)
  const [done, succeeded] = counts.slice(1).map(Number) as [number, number]
  const times = readFileSync(log, 'latin1')
    .split('\n')
    .map(line => Number(line.split('\t')[2]))
    .filter(time => time > 0)
    .sort((a, b) => a - b)
  const p99 = times[Math.floor(0.99 * (times.length - 1))] ?? Number.NaN
  return { requests: done, errors: done === 0 ? 1 : done - succeeded, rate: Number(rate), p99 }
}

async function startNginx(folder: string, [stable, canary, h2Stable, h2Canary]: Origins): Promise<Doors> {
  const conf = join(folder, 'nginx-h2.conf')
  const [plain, h2, h2c, grpc] = [await freePort(), await freePort(), await freePort(), await freePort()]
  writeFileSync(
    conf,
    `worker_processes 1; daemon off; pid ${conf}.pid; error_log /dev/null;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; http2_max_concurrent_streams 250;
  proxy_buffer_size 16k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k; proxy_max_temp_file_size 0;
  upstream web {
    server 127.0.0.1:${stable} weight=80; server 127.0.0.1:${canary} weight=20;
    keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 3600s;
  }
  upstream grpc {
    server 127.0.0.1:${h2Stable} weight=80; server 127.0.0.1:${h2Canary} weight=20;
    keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 3600s;
  }
  server {
    listen 127.0.0.1:${grpc} http2 backlog=4096;
    grpc_buffer_size 64k;
    location / {
      grpc_pass grpc://grpc; grpc_set_header Host $http_host; grpc_set_header X-Forwarded-For $remote_addr;
      grpc_set_header X-Forwarded-Proto $scheme; grpc_set_header X-Forwarded-Host $http_host;
    }
  }
  server {
    listen 127.0.0.1:${plain}; listen 127.0.0.1:${h2c} http2 backlog=4096;
    listen 127.0.0.1:${h2} ssl http2 backlog=4096;
    ssl_certificate ${join(folder, 'tls.crt')}; ssl_certificate_key ${join(folder, 'tls.key')};
    location / {
      proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
    }
  }
}
`,
  )
  const pid = await startOn(PROXY_CORE, 'nginx', ['-c', conf], plain)
  return { h2: { pid, port: h2 }, h2c: { pid, port: h2c }, grpc: { pid, port: grpc } }
}

async function startHaproxy(folder: string, [stable, canary, h2Stable, h2Canary]: Origins): Promise<Doors> {
  const conf = join(folder, 'haproxy-h2.cfg')
  const [plain, h2, grpc] = [await freePort(), await freePort(), await freePort()]
  writeFileSync(
    conf,
    `global
  nbthread 1
  maxconn 4096
  tune.h2.max-concurrent-streams 250
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind 127.0.0.1:${plain} backlog 4096
  bind 127.0.0.1:${h2} ssl crt ${join(folder, 'tls.pem')} alpn h2,http/1.1 backlog 4096
  bind 127.0.0.1:${grpc} backlog 4096
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  use_backend grpc if { dst_port ${grpc} }
  default_backend web
backend grpc
  balance roundrobin
  server stable 127.0.0.1:${h2Stable} weight 80 proto h2
  server canary 127.0.0.1:${h2Canary} weight 20 proto h2
backend web
  balance roundrobin
  server stable 127.0.0.1:${stable} weight 80
  server canary 127.0.0.1:${canary} weight 20
`,
  )
  const pid = await startOn(PROXY_CORE, 'haproxy', ['-db', '-f', conf], plain)
  // It knows HTTP/2 by its preface.
  return { h2: { pid, port: h2 }, h2c: { pid, port: plain }, grpc: { pid, port: grpc } }
}
