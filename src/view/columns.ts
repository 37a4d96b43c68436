// Text in columns, aligned as kubectl's tables are: two spaces apart, signs count as one.

/** Width on screen of text without colours. */
export const widthOf = (text: string): number => [...text].length

/** Fills up with spaces to a width; longer text stays as it is. */
export const padTo = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)))

/** The width of each column: the widest cell, at least `least`. */
export function widthsOf(rows: readonly (readonly string[])[], least: readonly number[] = []): readonly number[] {
  const count = Math.max(0, ...rows.map(row => row.length))
  return Array.from({ length: count }, (_, i) => Math.max(least[i] ?? 0, ...rows.map(row => widthOf(row[i] ?? ''))))
}
