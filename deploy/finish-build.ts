// The last step of `npm run build`: what tsc leaves out of dist. The page's files, the bins' first line, and a
// package.json of dist's own, since #contract leads to built JavaScript there.
import { chmod, cp, readFile, writeFile } from 'node:fs/promises'

const root = new URL('../', import.meta.url)
const { name, version, license } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as Record<
  string,
  string
>

await cp(new URL('src/dashboard/public', root), new URL('dist/src/dashboard/public', root), { recursive: true })
const own = { name, version, license, type: 'module', imports: { '#contract': './src/contract.js' } }
await writeFile(new URL('dist/package.json', root), `${JSON.stringify(own, null, 2)}\n`)

const main = new URL('dist/src/main.js', root)
const text = await readFile(main, 'utf8')
if (!text.startsWith('#!')) await writeFile(main, `#!/usr/bin/env node\n${text}`)
await chmod(main, 0o755)
