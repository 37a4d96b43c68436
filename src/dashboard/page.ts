// The page's files, read once, with a tag so that a browser need not load them again.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { SAFE_HEADERS } from './guard.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

type File = Readonly<{ body: Buffer; tag: string; type: string }>

export type Page = Readonly<{
  /** Answers with the file of this name; every other name is a view of the page. False: no such file. */
  serve(name: string, request: IncomingMessage, response: ServerResponse): boolean
}>

/** Reads the files. `base` is the path below which they are served, with slashes at both ends. */
export async function loadPage(base: string, folder = join(import.meta.dirname, 'public')): Promise<Page> {
  const names = (await readdir(folder)).filter(name => extname(name) in TYPES)
  const files = new Map<string, File>()
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8')
    const body = Buffer.from(
      name === 'index.html' ? text.replace('<base href="/rollouts/">', `<base href="${base}">`) : text,
    )
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`
    files.set(name, { body, tag, type: TYPES[extname(name)] ?? 'application/octet-stream' })
  }
  return {
    serve(name, request, response) {
      // Names with a dot are files, the rest are places within the page.
      const file = files.get(name) ?? (name.includes('.') ? undefined : files.get('index.html'))
      if (!file) return false
      const headers = { ...SAFE_HEADERS, 'content-type': file.type, etag: file.tag, 'cache-control': 'no-cache' }
      if (request.headers['if-none-match'] === file.tag) response.writeHead(304, headers).end()
      else response.writeHead(200, { ...headers, 'content-length': file.body.length }).end(file.body)
      return true
    },
  }
}
