// Finds members that a JSON text names twice: JSON.parse keeps the last one and says nothing.

const SPACE = /[ \t\r\n]/

/**
 * Dotted paths of the members that appear more than once, such as `spec.containers[0].name`, each once, in order.
 * The text must be valid JSON.
 */
export const duplicateKeys = (text: string): string[] => {
  const found = new Set<string>()
  let at = 0

  const skipSpace = (): void => {
    while (SPACE.test(text[at] ?? '')) at += 1
  }
  const readString = (): string => {
    const start = at
    for (at += 1; text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1
    at += 1
    return JSON.parse(text.slice(start, at)) as string
  }
  const readObject = (path: string): void => {
    const seen = new Set<string>()
    at += 1
    for (skipSpace(); text[at] !== '}'; skipSpace()) {
      if (text[at] === ',') at += 1
      skipSpace()
      const key = readString()
      const here = path === '' ? key : `${path}.${key}`
      if (seen.has(key)) found.add(here)
      seen.add(key)
      skipSpace()
      at += 1
      readValue(here)
    }
    at += 1
  }
  const readArray = (path: string): void => {
    at += 1
    let index = 0
    for (skipSpace(); text[at] !== ']'; skipSpace()) {
      if (text[at] === ',') at += 1
      readValue(`${path}[${index}]`)
      index += 1
    }
    at += 1
  }
  const readValue = (path: string): void => {
    skipSpace()
    if (text[at] === '{') readObject(path)
    else if (text[at] === '[') readArray(path)
    else if (text[at] === '"') readString()
    else while (at < text.length && !/[,\]}\s]/.test(text[at] ?? '')) at += 1
  }

  readValue('')
  return [...found]
}
