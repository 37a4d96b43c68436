// Tables in files are written by people: what they surely did not mean is refused, by its place, and the proxy serves on.
import { execFileSync } from 'node:child_process'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { fileSource } from '../../src/proxy/source-file.ts'
import { ask, eventually, pod, proxy } from './kit.ts'

const dests = '[{role: stable, weight: 100, upstream: "http://127.0.0.1:80"}]'

const REFUSED: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
  'an empty file': ['', /is empty/],
  'a comment only': ['# later', /is empty/],
  'two documents': ['routes: []\n---\nroutes: []', /several documents/],
  'half a JSON object': ['{"routes": [{"name": "a"', /line 1/],
  'no object': ['hello', /expected object/],
  'aliases without bound': [
    `a: &a [x,x]\n${['b', 'c', 'd', 'e'].map((n, i) => `${n}: &${n} [${`*${'abcd'[i]},`.repeat(9)}]`).join('\n')}\nroutes: [*e]`,
    /alias/,
  ],
  'a misspelt routes': [
    `route: [{name: a, dests: ${dests}}]`,
    /: route: there is no such key, only generation, routes/,
  ],
  'a misspelt hosts': [
    `routes: [{name: a, match: {host: x.example}, dests: ${dests}}]`,
    /routes\.0\.match\.host: there is no such key, only hosts, /,
  ],
  'a misspelt key of a destination': [
    'routes: [{name: a, dests: [{role: stable, weight: 100, upstream: "http://a:1", wait: 3}]}]',
    /routes\.0\.dests\.0\.wait: there is no such key/,
  ],
  'a host with a port': [`routes: [{name: a, match: {hosts: ["a:80"]}, dests: ${dests}}]`, /hosts\.0: .*no port/],
  'a host with a star inside': [`routes: [{name: a, match: {hosts: ["a*b"]}, dests: ${dests}}]`, /hosts\.0/],
  'a weight in tenths': [
    'routes: [{name: a, dests: [{role: stable, weight: 99.9, upstream: "http://a:1"}]}]',
    /whole number; .* total: 1000/,
  ],
  'a Service': ['routes: [{name: a, dests: [{role: stable, weight: 100, upstream: {service: n/s}}]}]', /--kubernetes/],
  'two routes for the same requests': [
    `routes: [{name: a, dests: ${dests}}, {name: b, match: {pathPrefix: /}, dests: ${dests}}]`,
    /route b gets nothing at any host, paths below \/: route a has the same/,
  ],
  'two routes for one host among others': [
    `routes: [{name: a, match: {hosts: [x, y], path: /p}, dests: ${dests}}, {name: b, match: {hosts: [z, Y.], path: /p}, dests: ${dests}}]`,
    /route b gets nothing at y, path \/p: route a has the same/,
  ],
}

for (const [what, [text, message]] of Object.entries(REFUSED))
  test(`refused: ${what}`, async t => {
    const folder = await mkdtemp(join(tmpdir(), 'pintle-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const path = join(folder, 'routes.yaml')
    await writeFile(path, text)
    await t.rejects(proxy(t, { source: fileSource(path) }), { code: 'PIN4001', message })
  })

test('routes that differ in host, path, kind of path or port stand beside each other', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'pintle-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'routes.json')
  const ways = ['{}', '{hosts: ["*.x"]}', '{hosts: [x]}', '{pathPrefix: /a}', '{path: /a}', '{pathPrefix: /a/b}']
  await writeFile(path, `routes: [${ways.map((match, i) => `{name: r${i}, match: ${match}, dests: ${dests}}`)}]`)
  const running = await proxy(t, { source: fileSource(path) })
  t.equal(running.status().routes.length, ways.length)
})

test('readings of a file without a generation are counted; a bad one does not count', async t => {
  const [a, b] = await Promise.all([pod(t, 'a'), pod(t, 'b')])
  const folder = await mkdtemp(join(tmpdir(), 'pintle-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'routes.yaml')
  const table = (url: string) => `routes: [{name: a, dests: [{role: stable, weight: 100, upstream: "${url}"}]}]`
  await writeFile(path, table(a.url))
  const running = await proxy(t, { source: fileSource(path) })
  t.equal(running.status().generation, 1)
  await writeFile(path, table(a.url).slice(0, 40))
  await eventually(() => running.status().problems.length === 1, 'half of it is refused')
  t.equal(running.status().generation, 1)
  t.equal((await ask(running.url)).body, 'a')
  await writeFile(path, table(b.url))
  await eventually(() => running.status().generation === 2, 'the next is served')
  t.equal((await ask(running.url)).body, 'b')
})

test('what is no regular file is refused, also in place of one', { skip: process.platform === 'win32' }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'pintle-table-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const rows: readonly (readonly [path: string, message: RegExp, hint: RegExp])[] = [
    [pipe, /it is a pipe$/, /to a file/],
    [folder, /it is a folder$/, /Name the file/],
    ['/dev/null', /it is no regular file$/, /to a file/],
    [join(folder, 'nothing'), /ENOENT/, /Check the path/],
  ]
  for (const [path, message, hint] of rows)
    await t.rejects(proxy(t, { source: fileSource(path) }), { code: 'PIN4004', message, hint }, path)

  const one = await pod(t, 'one')
  const file = join(folder, 'routes.yaml')
  const text = `routes: [{name: a, dests: [{role: stable, weight: 100, upstream: "${one.url}"}]}]`
  await writeFile(file, text)
  const running = await proxy(t, { source: fileSource(file) })
  await rename(pipe, file)
  await eventually(() => /it is a pipe/.test(running.status().problems[0] ?? ''), 'it is told')
  t.equal((await ask(running.url)).body, 'one', 'the last good table stays')
  await rm(file)
  await writeFile(file, text)
  await eventually(() => running.status().problems.length === 0, 'a file again')
})
