// The page in a real browser: it shows what is, follows what happens, asks before it acts, and never calls outside.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { type Test, test } from 'tap'
import { directTransport } from '../../src/apiserver/direct.ts'
import { startDashboard } from '../../src/dashboard/server.ts'
import type { World } from '../../src/sim/world.ts'
import { cliWorld, storyObjects } from '../cli/kit.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const CART = { ...ROLLOUT, namespace: 'shop', name: 'cart' }
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** CHROMIUM_PATH, or a Chromium on PATH. */
const chromiumPath = [
  process.env['CHROMIUM_PATH'] ?? '',
  ...(process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, 'chromium')),
  '/usr/bin/chromium',
].find(path => path !== '' && existsSync(path))
const skip = chromiumPath === undefined && 'no Chromium: set CHROMIUM_PATH, or install the package chromium'

type Version = Readonly<{ requestsPerSecond: number; errorRate: number }>

/** Stands for a proxy's admin listener: tells what it is told to tell. */
async function proxyAdmin(t: Test) {
  const byHash: Record<string, Version> = {}
  const server = createServer((_, reply) => reply.end(JSON.stringify({ byHash })))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, byHash }
}

async function browser(t: Test): Promise<{ context: BrowserContext; page: Page; troubles: string[] }> {
  const profile = mkdtempSync(join(tmpdir(), 'pintle-chromium-'))
  const options = {
    executablePath: chromiumPath ?? '',
    headless: true,
    args: FLAGS,
    viewport: { width: 1200, height: 900 },
  }
  const context = await chromium.launchPersistentContext(profile, options)
  t.teardown(async () => {
    await context.close()
    rmSync(profile, { recursive: true, force: true })
  })
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('pageerror', error => troubles.push(error.message))
  page.on('console', message => message.type() === 'error' && troubles.push(message.text()))
  return { context, page, troubles }
}

/** A canary that waits at 25 % with a dashboard beside it. */
async function scene(t: Test) {
  const world = await cliWorld(t)
  await world.apply(storyObjects('canary-steps', 'cart'), 'shop')
  await world.apply(storyObjects('bg-manual', 'till'), 'desk')
  await world.run(10)
  const image = { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'example/app:v2' }
  world.server.patch(CART, 'json', [image])
  await world.run(10)
  const admin = await proxyAdmin(t)
  const transport = directTransport(world.server)
  const dashboard = await startDashboard({ transport, clock: world.clock, port: 0, proxyAdmin: admin.url })
  t.teardown(() => dashboard.close())
  return { world, admin, dashboard }
}

const statusOf = (world: World) => world.get(ROLLOUT, 'cart', 'shop')?.['status'] as Record<string, unknown>

/** Lets virtual time pass until the page shows something. */
async function until(world: World, page: Page, shown: () => boolean): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await page.evaluate(shown)) return
    await world.run(0.5)
    await page.waitForTimeout(20)
  }
  throw new Error(`the page never showed it: ${shown}`)
}

declare const document: {
  title: string
  body: { textContent: string }
  activeElement: { id: string } | null
  documentElement: { scrollWidth: number; clientWidth: number; dataset: Record<string, string> }
  querySelector(selector: string): { textContent: string; getAttribute(name: string): string | null } | null
  querySelectorAll(selector: string): ArrayLike<{ textContent: string }>
}

test('the page in a browser', { skip }, async t => {
  const { world, admin, dashboard } = await scene(t)
  const { context, page, troubles } = await browser(t)
  const asked = new Set<string>()
  context.on('request', request => asked.add(new URL(request.url()).origin))
  page.setDefaultTimeout(10_000)

  await t.test('the list shows what waits first, and who gets what', async t => {
    await page.goto(`${dashboard.url}/rollouts`)
    await page.waitForSelector('.card')
    const cards = await page.locator('.card h2').allTextContents()
    t.same(cards, ['cart', 'till'], 'the paused one comes before the healthy one')
    t.match(await page.locator('main').textContent(), /1 needs somebody · 0 moving · 1 healthy/)
    const label = await page.locator('.card .split').first().getAttribute('aria-label')
    t.equal(label, '75 percent stable, 25 percent canary')
  })

  await t.test('it can be searched from the keyboard and narrowed to a namespace', async t => {
    await page.keyboard.press('/')
    await page.keyboard.type('till')
    const shows = (names: string) =>
      page.waitForFunction(
        all => Array.from(document.querySelectorAll('.card h2'), title => title.textContent).join() === all,
        names,
      )
    t.ok(await shows('till'))
    await page.fill('#search', '')
    await page.selectOption('#namespace', 'shop')
    t.ok(await shows('cart'))
    await page.selectOption('#namespace', '')
  })

  await t.test('the split follows what the proxy counts', async t => {
    await page.click('.card:has-text("cart")')
    await page.waitForSelector('.tile.canary')
    t.equal(page.url(), `${dashboard.url}/rollouts/rollout/shop/cart`)
    const { currentPodHash, stableRS } = statusOf(world)
    admin.byHash[String(stableRS)] = { requestsPerSecond: 60, errorRate: 0 }
    admin.byHash[String(currentPodHash)] = { requestsPerSecond: 40, errorRate: 0.05 }
    await until(world, page, () => document.body.textContent.includes('40/s'))
    const label = await page.locator('.split.tall').getAttribute('aria-label')
    t.equal(label, '60 percent stable, 40 percent canary')
    t.match(await page.locator('.tile.canary').textContent(), /errors5 %/)
    t.match(await page.locator('.tile.stable').textContent(), /errors0 %/)
  })

  await t.test('an action is asked about, can be left, and is done by keyboard alone', async t => {
    await page.focus('.actions button:text-is("Promote")')
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog[open]')
    t.match(await page.locator('dialog').textContent(), /pintle -n shop promote cart/)
    await page.keyboard.press('Escape')
    await world.run(3)
    t.equal(statusOf(world)['currentStepIndex'], 1, 'leaving does nothing')

    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog[open]')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.toast.ok')
    await until(
      world,
      page,
      () => document.querySelector('[aria-current="step"]')?.textContent.includes('wait 3s') === true,
    )
    t.equal(statusOf(world)['currentStepIndex'], 3, 'the canary went on')
  })

  await t.test('an abort takes the traffic back and a retry becomes possible', async t => {
    t.equal(await page.locator('.actions button:text-is("Retry")').count(), 0)
    await page.click('.actions button:text-is("Abort")')
    await page.click('#ask-yes')
    await until(world, page, () => document.querySelector('.badge')?.textContent.includes('Degraded') === true)
    t.equal(statusOf(world)['abort'], true)
    t.equal(await page.locator('.actions button:text-is("Retry")').isEnabled(), true)
    t.equal(await page.locator('.actions button:text-is("Abort")').isDisabled(), true)
  })

  await t.test('a refusal is shown, nothing is claimed', async t => {
    await page.route('**/retry', route => route.fulfill({ status: 409, json: { message: 'somebody was faster' } }))
    await page.click('.actions button:text-is("Retry")')
    await page.click('#ask-yes')
    t.match(await page.locator('.toast.bad').textContent(), 'Retry failed: somebody was faster')
    await page.unroute('**/retry')
    troubles.length = 0 // the browser notes the refused request on its console
  })

  await t.test('the theme can be chosen and stays', async t => {
    const theme = () => page.evaluate(() => document.documentElement.dataset['theme'])
    const before = await theme()
    await page.click('#theme')
    const after = await theme()
    t.not(after, before)
    await page.reload()
    await page.waitForSelector('.tile')
    t.equal(await theme(), after)
  })

  await t.test('a narrow screen needs no sideways scrolling', async t => {
    await page.setViewportSize({ width: 360, height: 740 })
    const { scrollWidth, clientWidth } = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement
      return { scrollWidth, clientWidth }
    })
    t.ok(scrollWidth <= clientWidth, `${scrollWidth} of ${clientWidth}`)
    await page.setViewportSize({ width: 1200, height: 900 })
  })

  await t.test('a rollout that goes is said to be gone, and a bookmark of nothing says so', async t => {
    world.server.remove(CART)
    await until(world, page, () => document.body.textContent.includes('cart has been deleted'))
    await page.goto(`${dashboard.url}/rollouts/rollout/shop/nothing`)
    await page.waitForFunction(() => document.body.textContent.includes('There is no rollout nothing in shop'))
    troubles.length = 0 // the refused stream
    t.pass('said')
  })

  t.same([...asked], [dashboard.url], 'nothing is loaded from elsewhere')
  t.same(troubles, [], 'no errors, no breach of the content security policy')
})
