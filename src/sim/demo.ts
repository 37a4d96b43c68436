// `npm start`: a whole cluster in this process, real traffic through the real proxy, three releases that play by
// themselves; then it stays up and is yours.
import { freemem } from 'node:os'
import { UserError } from '../errors.ts'
import type { Log } from '../ports.ts'
import { systemClock } from './clock.ts'
import { badVersionStory, blueGreenStory, canaryStory, deploy, type Story } from './demo-story.ts'
import { type DemoWorld, startDemoWorld } from './demo-world.ts'
import { freeOrAny } from './free-port.ts'
import { type Load, startLoad } from './load.ts'
import { createScreen, type Screen, scoreText, splitBar } from './scoreboard.ts'

export type DemoFlags = Readonly<{
  fast?: boolean
  quiet?: boolean
  /** Port of the proxy; 8080, or any when that is taken. */
  port?: string | number
  /** Port of the page; 3100, or any when that is taken. */
  dashboardPort?: string | number
}>

const PROXY_PORT = 8080
const PAGE_PORT = 3100

/** Less free memory than this is a poor start: bytes. */
const MEMORY = 200 * 1024 * 1024

/** The port of a flag; the usual one, or any when that is taken, without the flag. */
async function portOf(flag: string, value: string | number | undefined, usual: number): Promise<number> {
  const port = value === undefined ? await freeOrAny(usual) : Number(value)
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port
  throw new UserError('PIN7102', `--${flag} ${value} is not a port`, 'Give a number from 1 to 65535, or 0 for any.', 2)
}

/** Plays the demo until a signal comes. Raises UserError: port in use, read-only folder, no memory. */
export async function runDemo(flags: DemoFlags): Promise<number> {
  const ports = { proxy: await portOf('port', flags.port, PROXY_PORT), admin: 0, api: 0 }
  const page = await portOf('dashboard-port', flags.dashboardPort, PAGE_PORT)
  if (freemem() < MEMORY) {
    const free = Math.round(freemem() / 1024 / 1024)
    throw new UserError(
      'PIN7103',
      `only ${free} MB of memory are free`,
      'The demo needs 200 MB: close something first.',
    )
  }
  const screen = createScreen(process.stdout, flags.quiet === true)
  // Before anything is started: whoever changes their mind in the first second finds nothing left behind either.
  const ending = new AbortController()
  const ended = waitForSignal().then(() => ending.abort())
  const world = await startDemoWorld(ports, quietLog)
  const stops: (() => Promise<unknown>)[] = [() => world.stop()]
  try {
    const dashboard = await startPage(world, page)
    stops.push(() => dashboard.close())
    const taken = [
      flags.port === undefined && ports.proxy === 0 ? PROXY_PORT : [],
      flags.dashboardPort === undefined && page === 0 ? PAGE_PORT : [],
    ].flat()
    introduce(screen, world, dashboard.url, taken)
    const story: Story = { world, screen, fast: flags.fast === true, signal: ending.signal }
    await Promise.race([play(story, stops), ended])
    await ended
  } catch (error) {
    if (!ending.signal.aborted) throw error
  } finally {
    screen.say('\nStopping …')
    for (const stop of stops.toReversed()) await stop()
  }
  return 0
}

/** The page is a part of its own: it is loaded when it is needed. */
async function startPage(world: DemoWorld, port: number) {
  const { startDashboard } = await import('../dashboard/server.ts')
  return startDashboard({
    transport: world.transport,
    namespace: 'default',
    clock: systemClock(),
    host: '127.0.0.1',
    port,
    proxyAdmin: world.proxy.adminUrl,
  })
}

/** `taken`: usual ports that something else listens on. */
function introduce({ say }: Screen, world: DemoWorld, page: string, taken: readonly number[]): void {
  say('Pintle demo: Kubernetes API, controller, proxy and pods, all in this process on loopback (not for production)')
  say(`  proxy      ${world.proxy.url}/shop  and  ${world.proxy.url}/pay`)
  say(`  dashboard  ${page}/rollouts`)
  say(`  metrics    ${world.proxy.adminUrl}/metrics`)
  if (taken.length > 0) say(`  (something else listens on ${taken.join(' and ')})`)
  say(`  export KUBECONFIG=${world.kubeconfig}`)
  say('  try        npm run -s pintle -- get rollout shop -w     kubectl get rollouts -w')
}

async function play(story: Story, stops: (() => Promise<unknown>)[]): Promise<void> {
  await deploy(story)
  const load = startLoad(story.world.proxy.url, [
    { name: 'shop', path: '/shop', perSecond: 150 },
    { name: 'pay', path: '/pay', perSecond: 25 },
  ])
  stops.push(() => load.stop())
  let isOver = false
  stops.push(showBoard(story.screen, load, () => isOver))
  await blueGreenStory(story)
  await canaryStory(story)
  await badVersionStory(story)
  isOver = true
  story.screen.say(`\n${scoreText([load.total('shop'), load.total('pay')])}`)
  story.screen.say('It is yours now. Ship something, break something:')
  story.screen.say('  npm run -s pintle -- set image shop shop=example/shop:v4')
  story.screen.say('  npm run -s pintle -- set image pay pay=example/pay:v3-slow  and then  promote pay')
  story.screen.say('Ctrl-C ends everything.')
}

/** Redraws the split twice a second; without a terminal a line a second, and one in ten once the story is over. The
 * answer stops it and prints the score. */
function showBoard(screen: Screen, load: Load, isOver: () => boolean): () => Promise<void> {
  let ticks = 0
  const timer = setInterval(
    () => {
      ticks += 1
      if (!screen.isLive && isOver() && ticks % 10 !== 0) return
      const score = scoreText([load.total('shop'), load.total('pay')])
      screen.board(`shop ${splitBar(load.recent('shop'))}  |  ${score}`)
    },
    screen.isLive ? 500 : 1000,
  )
  return async () => {
    clearInterval(timer)
    screen.say(scoreText([load.total('shop'), load.total('pay')]))
  }
}

const waitForSignal = (): Promise<void> =>
  new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })

/** The demo's screen is for the story; troubles go to standard error. */
const quietLog: Log = {
  debug() {},
  info() {},
  warn: (fields, message) => process.stderr.write(`\n${message} ${JSON.stringify(fields)}\n`),
  error: (fields, message) => process.stderr.write(`\n${message} ${JSON.stringify(fields)}\n`),
}
