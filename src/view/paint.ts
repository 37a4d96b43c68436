// Colours for a terminal, by what a thing means. Without colour every painter returns its text as it is.
import { type Tone, toneOf } from './icon.ts'

/** How to colour: by tone, by role, or as bold headings. */
export type Paint = Readonly<{
  tone(tone: Tone, text: string): string
  /** Part of a rollout: stable and active green, canary yellow, preview, ping and pong blue. */
  role(role: string, text: string): string
  faint(text: string): string
  heading(text: string): string
}>

const plain = (text: string): string => text

/** Leaves everything as it is. */
export const NO_PAINT: Paint = { tone: (_, text) => text, role: (_, text) => text, faint: plain, heading: plain }

const sgr =
  (code: number) =>
  (text: string): string =>
    text === '' ? '' : `\u001b[${code}m${text}\u001b[0m`

const TONE: Readonly<Record<Tone, (text: string) => string>> = {
  ok: sgr(32),
  busy: sgr(36),
  bad: sgr(31),
  warn: sgr(33),
  idle: sgr(90),
  none: plain,
}

const ROLE: Readonly<Record<string, (text: string) => string>> = {
  stable: sgr(32),
  active: sgr(32),
  canary: sgr(33),
  preview: sgr(34),
  ping: sgr(34),
  pong: sgr(34),
}

/** ANSI colours. */
export const ANSI: Paint = {
  tone: (tone, text) => TONE[tone](text),
  role: (role, text) => (ROLE[role] ?? plain)(text),
  faint: sgr(90),
  heading: sgr(1),
}

/** A status text in the colour of its sign. */
export const paintStatus = (paint: Paint, icon: string, text: string): string => paint.tone(toneOf(icon), text)
