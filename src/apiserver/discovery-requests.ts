// What clients ask first: which version this is, which kinds there are, what their fields are called.
import type { Answer, Incoming } from './exchange.ts'
import { jsonAnswer } from './exchange.ts'
import { lineOf } from './rendering.ts'
import type { ApiServer } from './server.ts'

const VERSION = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+pintle',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'node',
}

/** The answer to a GET on a path of discovery, undefined for other paths. */
export const discover = (_server: ApiServer, segments: readonly string[], _incoming: Incoming): Answer | undefined => {
  const path = segments.join('/')
  if (path === 'version') return jsonAnswer(200, lineOf(VERSION))
  return undefined
}
