// demo: a whole cluster in this process, with real traffic: three releases play by themselves, then it is yours.
import { defineCommand } from '../command.ts'

export default defineCommand({
  summary: 'Play a blue-green release, a canary and a bad version, with real traffic, on this machine',
  examples: ['demo', 'demo --fast', 'demo --port 9000'],
  options: command =>
    command
      .option('--fast', 'shorter pauses')
      .option('--quiet', 'fewer lines')
      .option('--port <port>', 'port of the proxy (default: 8080, or any when that is taken)')
      .option('--dashboard-port <port>', 'port of the page (default: 3100, or any when that is taken)'),

  async run(context) {
    const { runDemo } = await import('../../sim/demo.ts')
    return (await runDemo(context.flags)) ?? 0
  },
})
