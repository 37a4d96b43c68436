// The proxies that are compared, each set up as its users would for this job: two versions 80 to 20, connections to the
// origins kept, X-Forwarded-For, -Proto and -Host set, no access log, one worker.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { one } from '../kube/certificates.ts'
import { freePort, type Origins, PROXY_CORE, startOn } from './proxy-load.ts'

/** A running proxy. `secure`: the one that ends TLS, another process or the same. */
export type Contender = Readonly<{
  name: string
  pid: number
  port: number
  secure?: Readonly<{ pid: number; port: number }>
}>

/** `securePort`: where TLS is wanted too. */
type Start = (folder: string, origins: Origins, port: number, securePort: number | undefined) => Promise<number>

/** By name: the program that it needs, and how it is started. */
export const CONTENDERS: Readonly<Record<string, Readonly<{ needs?: string; start: Start; startSecure?: Start }>>> = {
  pintle: { start: (folder, origins, port) => startPintle(folder, origins, port, []), startSecure: startPintleSecure },
  // Its versions take requests in batches; nginx and the others keep connections and cannot do that.
  'pintle-pipelining': { start: (folder, origins, port) => startPintle(folder, origins, port, [], 'pipelining') },
  // Its versions speak HTTP/2, so that requests of all clients share connections.
  'pintle-h2c': { start: (folder, [, , ...h2], port) => startPintle(folder, [...h2, ...h2], port, [], 'h2c') },
  'pintle-2-workers': { start: (folder, origins, port) => startPintle(folder, origins, port, ['--workers', '2']) },
  nginx: { needs: 'nginx', start: startNginx, startSecure: startNginx },
  haproxy: { needs: 'haproxy', start: startHaproxy, startSecure: startHaproxy },
  'http-proxy': {
    start: (_folder, [a, b], port) =>
      startOn(PROXY_CORE, process.execPath, [script('proxy-http-proxy.ts'), `${port}`, `${a}`, `${b}`], port),
  },
}

const script = (name: string) => join(import.meta.dirname, name)

/** Starts one on a free port, and where it is asked for and can be had a second one that ends TLS. Raises an Error when it
 * does not answer. */
export async function startContender(
  name: string,
  folder: string,
  origins: Origins,
  isSecure: boolean,
): Promise<Contender> {
  const { start, startSecure } = CONTENDERS[name]!
  const port = await freePort()
  const pid = await start(folder, origins, port, undefined)
  if (!isSecure || !startSecure) return { name, pid, port }
  const securePort = await freePort()
  return {
    name,
    pid,
    port,
    secure: { pid: await startSecure(folder, origins, await freePort(), securePort), port: securePort },
  }
}

/** A certificate for all of them; haproxy wants it in one file with its key. */
function certificateIn(folder: string): Readonly<{ cert: string; key: string; both: string }> {
  const [cert, key, both] = ['tls.crt', 'tls.key', 'tls.pem'].map(file => join(folder, file)) as [
    string,
    string,
    string,
  ]
  writeFileSync(cert, one.cert)
  writeFileSync(key, one.key)
  writeFileSync(both, `${one.cert}\n${one.key}\n`)
  return { cert, key, both }
}

async function startPintleSecure(
  folder: string,
  origins: Origins,
  _port: number,
  securePort: number | undefined,
): Promise<number> {
  const { cert, key } = certificateIn(folder)
  return startPintle(folder, origins, securePort!, ['--tls-cert', cert, '--tls-key', key])
}

async function startPintle(
  folder: string,
  [stable, canary]: Origins,
  port: number,
  more: readonly string[],
  batching?: 'pipelining' | 'h2c',
): Promise<number> {
  const table = join(folder, batching ? `table-${batching}.json` : 'table.json')
  const pipelining = batching === 'pipelining'
  const scheme = batching === 'h2c' ? 'h2c' : 'http'
  const dests = [
    { role: 'stable', weight: 80, upstream: `${scheme}://127.0.0.1:${stable}`, pipelining },
    { role: 'canary', weight: 20, upstream: `${scheme}://127.0.0.1:${canary}`, pipelining },
  ]
  writeFileSync(table, JSON.stringify({ routes: [{ name: 'web', dests }] }))
  const main = join(import.meta.dirname, '../../src/main.ts')
  const listen = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${await freePort()}`]
  return startOn(
    PROXY_CORE,
    process.execPath,
    [main, 'proxy', '--table', table, ...listen, ...more],
    port,
    more.includes('--tls-cert'),
  )
}

/** Buffers are large enough for every body here, so that nothing is written to a disk. */
async function startNginx(folder: string, [stable, canary]: Origins, port: number, securePort: number | undefined) {
  const conf = join(folder, securePort ? 'nginx-tls.conf' : 'nginx.conf')
  const { cert, key } = certificateIn(folder)
  const secure = securePort
    ? `listen 127.0.0.1:${securePort} ssl backlog=4096; ssl_certificate ${cert}; ssl_certificate_key ${key};`
    : ''
  writeFileSync(
    conf,
    `worker_processes 1; daemon off; pid ${conf}.pid; error_log /dev/null;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s;
  client_max_body_size 0; client_body_buffer_size 128k;
  proxy_buffer_size 16k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k; proxy_max_temp_file_size 0;
  upstream web {
    server 127.0.0.1:${stable} weight=80; server 127.0.0.1:${canary} weight=20;
    keepalive 256; keepalive_requests 1000000000; keepalive_timeout 3600s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096; ${secure}
    location / {
      proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
    }
  }
}
`,
  )
  return startOn(PROXY_CORE, 'nginx', ['-c', conf], port)
}

async function startHaproxy(folder: string, [stable, canary]: Origins, port: number, securePort: number | undefined) {
  const conf = join(folder, securePort ? 'haproxy-tls.cfg' : 'haproxy.cfg')
  const secure = securePort ? `bind 127.0.0.1:${securePort} ssl crt ${certificateIn(folder).both} backlog 4096` : ''
  writeFileSync(
    conf,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind 127.0.0.1:${port} backlog 4096
  ${secure}
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend web
backend web
  balance roundrobin
  server stable 127.0.0.1:${stable} weight 80
  server canary 127.0.0.1:${canary} weight 20
`,
  )
  return startOn(PROXY_CORE, 'haproxy', ['-db', '-f', conf], port)
}
