#!/usr/bin/env node
// `pintle`, and `kubectl pintle`: hands the process to the command line.
import { enableCompileCache } from 'node:module'
import { basename } from 'node:path'
import { becomeLean } from './lean.ts'

becomeLean(process.argv.slice(2))

// Compiled modules are kept between runs: --help and typos must feel instant. So the rest is imported after this.
enableCompileCache()
const { runCli } = await import('./cli/main.ts')
const { processIo } = await import('./cli/process-io.ts')

const called = basename(process.argv[1] ?? '').replace(/\.[jt]s$/, '')
const words = process.argv.slice(2)
const isPlugin = called === 'kubectl-pintle' || process.env['KUBECTL_PLUGINS_CALLER'] !== undefined
// kubectl asks `kubectl_complete-pintle` what may follow.
const argv = called === 'kubectl_complete-pintle' ? ['__complete', ...words] : words

process.exitCode = await runCli(argv, processIo(isPlugin ? 'kubectl pintle' : 'pintle'))
// A command that gives up at once leaves its connections open: a controller that lost its lease may finish nothing. What is
// open then must not keep a process that does nothing any more.
setTimeout(() => process.exit(), 1000).unref()
