// http-proxy as a weighted proxy: PORT STABLE CANARY. A contender of `npm run bench:proxy`.
import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy'

const [port, stable, canary] = process.argv.slice(2).map(Number)
const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 })
const proxy = httpProxy.createProxyServer({ agent, xfwd: true })
proxy.on('error', (_error, _req, res) => res.end())
let owed = 0
createServer((req, res) => {
  owed += 20
  const isCanary = owed >= 100
  if (isCanary) owed -= 100
  proxy.web(req, res, { target: `http://127.0.0.1:${isCanary ? canary : stable}` })
}).listen(port, '127.0.0.1', 4096)
