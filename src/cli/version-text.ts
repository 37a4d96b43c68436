// Our version, from the package.json that we were installed with.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** `v1.2.3`. Looks upwards, since sources and built files stand at different depths. */
export async function versionText(folder = import.meta.dirname): Promise<string> {
  try {
    const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >
    if (name === 'pintle') return `v${String(version)}`
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
  }
  const above = dirname(folder)
  return above === folder ? 'v0.0.0-unknown' : versionText(above)
}
