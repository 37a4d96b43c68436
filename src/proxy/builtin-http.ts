// Node's http module without what its ES module form loads besides: naming it in an import evaluates all its exports, and
// WebSocket among them brings undici, which costs the proxy 16 MB that it has no use for.
const http = process.getBuiltinModule('node:http')

export const { createServer, STATUS_CODES } = http
