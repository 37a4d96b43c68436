// The recorded stories, from this repository or from the folder that STORIES names.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Story } from '../../src/sim/story.ts'

/** All stories, sorted by name. */
export function loadStories(): readonly Story[] {
  const folder = process.env['STORIES'] ?? fileURLToPath(new URL('../stories', import.meta.url))
  return readdirSync(folder)
    .filter(file => file.endsWith('.json'))
    .sort()
    .map(file => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Story)
}
