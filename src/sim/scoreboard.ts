// The demo's screen: what happens in words, and a bar of who answered the last requests.
import type { Tally } from './load.ts'

export type Screen = Readonly<{
  /** A line that stays. */
  say(text: string): void
  /** The line at the bottom, redrawn in place on a terminal, a plain line elsewhere. */
  board(text: string): void
  isLive: boolean
}>

/** A screen on a stream. Without a terminal, boards are printed only when they differ from the last. */
export function createScreen(out: NodeJS.WriteStream, quiet: boolean): Screen {
  const isLive = out.isTTY === true
  let shown = ''
  const clear = () => (isLive && shown !== '' ? '\r\u001b[2K' : '')
  return {
    isLive,
    say(text) {
      const below = isLive ? shown : ''
      out.write(`${clear()}${text}\n${below}`)
    },
    board(text) {
      if (quiet || text === shown) return
      out.write(isLive ? `${clear()}${text}` : `${text}\n`)
      shown = text
    },
  }
}

const WIDTH = 30
const FILLS = ['█', '░', '▒', '▓']

/** Shares of the versions that answered, as a bar and in words: `v1 ██████░░ v2  v1 72% v2 28%`. */
export function splitBar(recent: Tally): string {
  const versions = Object.entries(recent.byVersion).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const total = versions.reduce((sum, [, { ok, errors }]) => sum + ok + errors, 0)
  if (total === 0) return '·'.repeat(WIDTH)
  const shares = versions.map(([version, { ok, errors }]) => ({ version, share: (ok + errors) / total, errors }))
  const bar = shares.map(({ share }, i) => (FILLS[i % FILLS.length] ?? '█').repeat(Math.round(share * WIDTH))).join('')
  const words = shares.map(({ version, share, errors }) => {
    const bad = errors > 0 ? ` (${errors}× 500)` : ''
    return `${version} ${Math.round(share * 100)}%${bad}`
  })
  return `${bar.padEnd(WIDTH).slice(0, WIDTH)}  ${words.join('  ')}`
}

const counted = new Intl.NumberFormat('en-US')

/** `12,345 requests: 12,301 ok, 44 answered 500, 0 lost`. */
export function scoreText(tallies: readonly Tally[]): string {
  const sum = (field: 'ok' | 'errors' | 'failed') => tallies.reduce((total, tally) => total + tally[field], 0)
  const [ok, errors, failed] = [sum('ok'), sum('errors'), sum('failed')]
  const n = (value: number) => counted.format(value)
  return `${n(ok + errors + failed)} requests: ${n(ok)} ok, ${n(errors)} answered 500, ${n(failed)} lost`
}
