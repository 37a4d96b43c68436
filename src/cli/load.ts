// Finds the commands: one file each, loaded only when its first word is called or help is asked for.
import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Command } from './command.ts'

export type Loaded = Readonly<{ words: readonly string[]; command: Command }>

const folder = join(import.meta.dirname, 'commands')
// `.ts` here, `.js` in the published package.
const extension = extname(import.meta.filename)

/** `set-image.ts` is the command `set image`. */
const wordsOf = (file: string): readonly string[] => file.slice(0, -extension.length).split('-')

/** The first words of all commands, sorted. */
export async function commandWords(): Promise<ReadonlySet<string>> {
  return new Set((await files()).map(file => wordsOf(file)[0] ?? '').toSorted())
}

const files = async (): Promise<readonly string[]> =>
  (await readdir(folder)).filter(file => file.endsWith(extension) && !file.endsWith(`.d${extension}`)).toSorted()

/** Loads the commands that begin with `word`; all of them when it is not given. */
export async function loadCommands(word?: string): Promise<readonly Loaded[]> {
  const wanted = (await files()).filter(file => word === undefined || wordsOf(file)[0] === word)
  return Promise.all(
    wanted.map(async file => {
      const { default: command } = (await import(`./commands/${file}`)) as { default: Command }
      return { words: wordsOf(file), command }
    }),
  )
}
