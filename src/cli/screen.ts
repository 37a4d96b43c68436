// A picture that is redrawn in place: on a terminal the alternate screen, elsewhere one block per change.
import type { Io } from './command.ts'

export type Screen = Readonly<{
  /** Shows these lines; on a terminal only those that changed are written. */
  show(lines: readonly string[]): void
  /** Gives the terminal back, with the last picture on it. */
  close(): void
}>

const ESC = '\u001b['

/** The full picture each time, blocks parted by an empty line. */
function blocks(io: Pick<Io, 'write'>): Screen {
  let shown = 0
  return {
    show: lines => {
      io.write(`${shown++ === 0 ? '' : '\n'}${lines.join('\n')}\n`)
    },
    close: () => {},
  }
}

/** Opens a screen. */
export function openScreen(io: Pick<Io, 'write' | 'isTty'>): Screen {
  if (!io.isTty) return blocks(io)
  let last: readonly string[] = []
  // Without wrapping: a line that is too long must not push the others down.
  io.write(`${ESC}?1049h${ESC}?25l${ESC}?7l${ESC}2J`)
  return {
    show(lines) {
      const changed = lines.map((line, i) => (line === last[i] ? '' : `${ESC}${i + 1};1H${line}${ESC}K`)).join('')
      const rest = lines.length < last.length ? `${ESC}${lines.length + 1};1H${ESC}J` : ''
      if (changed + rest !== '') io.write(changed + rest)
      last = lines
    },
    close: () => io.write(`${ESC}?7h${ESC}?25h${ESC}?1049l${last.length === 0 ? '' : `${last.join('\n')}\n`}`),
  }
}
