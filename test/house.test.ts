// The walls of the house: who may import whom, what pure code may not touch, how long a file may be, and that
// generated files are fresh. The rules are house rules; src/README.md tells why.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'tap'

const root = join(import.meta.dirname, '..')

const filesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.(ts|js|mjs)$/.test(entry.name))
    .map(entry => relative(root, join(entry.parentPath, entry.name)))

const sources = [...filesIn('src'), ...filesIn('adapters')].filter(file => !file.includes('/public/'))
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')

type Import = Readonly<{ from: string; isType: boolean; isDynamic: boolean }>

/** Import specifiers of a file; relative ones resolved to paths from the root. */
function importsOf(file: string): Import[] {
  const text = textOf(file).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const found: Import[] = []
  for (const [, isType, from] of text.matchAll(
    /^(?:import|export)\s+(type\s)?[^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*?)?from\s+'([^']+)'/gm,
  )) {
    found.push({ from: from ?? '', isType: isType !== undefined, isDynamic: false })
  }
  for (const [, from] of text.matchAll(/^import\s+'([^']+)'/gm))
    found.push({ from: from ?? '', isType: false, isDynamic: false })
  for (const [, from] of text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g))
    found.push({ from: from ?? '', isType: false, isDynamic: true })
  return found.map(one => ({
    ...one,
    from: one.from.startsWith('.') ? normalize(join(dirname(file), one.from)) : one.from,
  }))
}

const CORE = ['src/rollout/', 'src/analysis/', 'src/experiment/']
const BASE = ['src/contract.ts', 'src/ports.ts', 'src/errors.ts']

/** Folder -> what its files may import statically: prefixes of paths and names of packages. */
const RULES: Readonly<Record<string, readonly string[]>> = {
  'src/api/': ['src/api/', 'zod', ...BASE],
  'src/rollout/': [...CORE, 'src/api/', 'zod', ...BASE],
  'src/analysis/': [...CORE, 'src/api/', 'zod', ...BASE],
  'src/experiment/': [...CORE, 'src/api/', 'zod', ...BASE],
  // The proxy's own rules for tables: what its adapter lets pass must be what the proxies take.
  'adapters/traffic/': ['#contract', 'zod', 'adapters/traffic/_', 'src/proxy/table.ts', 'src/proxy/bounded-regexp.ts'],
  'adapters/metrics/': ['#contract', 'zod', 'adapters/metrics/_'],
  'adapters/steps/': ['#contract', 'zod', 'adapters/steps/_'],
  'src/kube/': ['src/kube/', 'undici', 'yaml', 'node:', ...BASE],
  'src/aws/': ['src/aws/', '@aws-sdk/client-elastic-load-balancing-v2', ...BASE],
  'src/controller/': [
    'src/controller/',
    'src/aws/',
    ...CORE,
    'src/api/',
    'src/kube/',
    'pino',
    'prom-client',
    'undici',
    'node:',
    ...BASE,
  ],
  'src/apiserver/': [
    'src/apiserver/',
    'src/api/',
    'node:http',
    'node:crypto',
    'node:net',
    'node:buffer',
    'yaml',
    ...BASE,
  ],
  'src/sim/': [
    'src/sim/',
    'src/apiserver/',
    'src/controller/',
    ...CORE,
    'src/api/',
    'src/view/',
    'src/kube/',
    'src/proxy/start.ts',
    'node:',
    'undici',
    'yaml',
    ...BASE,
  ],
  'src/proxy/': [
    'src/proxy/',
    'src/kube/',
    'src/api/',
    'undici',
    'http-proxy',
    'prom-client',
    'zod',
    'yaml',
    'node:',
    ...BASE,
  ],
  'src/view/': ['src/view/', ...CORE, 'src/api/', ...BASE],
  'src/cli/': ['src/cli/', 'src/view/', ...CORE, 'src/api/', 'commander', 'yaml', 'node:', ...BASE],
  'src/dashboard/': ['src/dashboard/', 'src/view/', ...CORE, 'src/api/', 'node:', ...BASE],
}

const folderOf = (file: string): string | undefined => Object.keys(RULES).find(folder => file.startsWith(folder))

test('every file imports only what its folder may', async t => {
  const broken = sources.flatMap(file => {
    const allowed = RULES[folderOf(file) ?? '']
    if (!allowed) return []
    return (
      importsOf(file)
        .filter(one => !one.isDynamic)
        .filter(
          one => !allowed.some(prefix => one.from === prefix || (/[/:_]$/.test(prefix) && one.from.startsWith(prefix))),
        )
        // Types of the ports and of kube may be named where only their values are forbidden.
        .filter(one => !(one.isType && ['src/cli/', 'src/dashboard/', 'src/view/'].includes(folderOf(file) ?? '')))
        .map(one => `${file} imports ${one.from}`)
    )
  })
  t.strictSame(broken, [])
})

test('client-node is imported by kubeconfig.ts alone, and only dynamically', async t => {
  const users = sources.filter(file =>
    importsOf(file).some(one => one.from.startsWith('@kubernetes/client-node') && !one.isType),
  )
  t.strictSame(users, ['src/kube/kubeconfig.ts'])
  t.ok(
    importsOf('src/kube/kubeconfig.ts').every(
      one => !one.from.startsWith('@kubernetes') || one.isDynamic || one.isType,
    ),
  )
})

const PURE = [...CORE, 'src/api/', 'src/view/', 'adapters/']
const BANNED: readonly (readonly [string, RegExp])[] = [
  ['Date.now', /\bDate\.now\b/],
  ['new Date()', /\bnew Date\(\s*\)/],
  ['Math.random', /\bMath\.random\b/],
  ['timers', /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['process', /(?<![\w.'"`$])process\.(?!ing)\w/],
  ['fetch', /(?<![\w.])fetch\(/],
]

test('pure folders touch neither the clock, nor chance, nor the outside', async t => {
  const broken = sources
    .filter(file => PURE.some(folder => file.startsWith(folder)))
    .flatMap(file => {
      const code = textOf(file)
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/^\s*\/\/.*$/gm, '')
        .replace(/\s\/\/ .*$/gm, '')
      // A function of the file's own that happens to be called fetch is not the global one.
      const isOwn = (what: string) => what === 'fetch' && /(function|const|[{,]) fetch\b/.test(code)
      return BANNED.filter(([what, pattern]) => pattern.test(code) && !isOwn(what)).map(
        ([what]) => `${file} uses ${what}`,
      )
    })
  t.strictSame(broken, [])
})

test('no hand-written file is longer than 400 lines', async t => {
  const long = sources
    .map(file => [file, textOf(file).split('\n').length - 1] as const)
    .filter(([, lines]) => lines > 400)
  t.strictSame(long, [])
})

test('every file says in its first line what it is for', async t => {
  const silent = sources.filter(file => !/^(#!.*\n)?(\/\/|\/\*) ?\S/.test(textOf(file)))
  t.strictSame(silent, [])
})

test('no name says nothing', async t => {
  const vague = sources.filter(file => /(^|\/)(utils?|helpers?|types|index|misc)\.(ts|js)$/.test(file))
  t.strictSame(vague, [])
})

test('nothing is unfinished or switched off', async t => {
  const soft = sources.filter(file => /\b(TODO|FIXME|XXX)\b/.test(textOf(file)))
  t.strictSame(soft, [])
})

test('generated files are fresh', async t => {
  const run = spawnSync(process.execPath, ['deploy/generate.ts', '--check'], { cwd: root, encoding: 'utf8' })
  t.equal(run.status, 0, run.stdout + run.stderr)
})

test('the top level holds what it should and nothing else', async t => {
  const tracked = spawnSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  if (tracked.status !== 0) {
    t.comment('not a git checkout: nothing to compare')
    return
  }
  const top = new Set(
    tracked.stdout
      .split('\n')
      .filter(Boolean)
      .map(file => file.split('/')[0] ?? ''),
  )
  const allowed = [
    'src',
    'adapters',
    'deploy',
    'test',
    'docs',
    '.ci',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'biome.json',
    'README.md',
    'LICENSE',
  ]
  t.strictSame(
    [...top].filter(name => !allowed.includes(name) && !name.startsWith('.')),
    [],
  )
})
