// version: which Pintle this is.
import { arch, platform } from 'node:process'
import { defineCommand } from '../command.ts'
import { formatOf, printData } from '../output.ts'
import { versionText } from '../version-text.ts'

export default defineCommand({
  summary: 'Show the version',
  examples: ['version', 'version --short'],
  options: command => command.option('--short', 'only the version'),

  async run(context) {
    const version = await versionText()
    const about = { version, node: process.version, platform: `${platform}/${arch}` }
    const format = formatOf(context)
    if (format) await printData(context, format, about, [version])
    else {
      context.out(`pintle: ${version}`)
      if (context.flags['short'] !== true) context.out(`  Node: ${about.node}\n  Platform: ${about.platform}`)
    }
    return 0
  },
})
