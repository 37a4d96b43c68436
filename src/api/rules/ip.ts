// Tells IP addresses from other texts.

const isV4 = (text: string): boolean => /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)

function isV6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1) ?? ''
  const size = groups.length + (isV4(last) ? 1 : 0)
  const isSized = halves.length === 2 ? size < 8 : size === 8
  return (
    isSized && groups.every((group, i) => /^[0-9a-f]{1,4}$/i.test(group) || (i === groups.length - 1 && isV4(group)))
  )
}

/** 4 or 6 for an address of that version, 0 for anything else. */
export const isIP = (text: string): 0 | 4 | 6 => (isV4(text) ? 4 : isV6(text) ? 6 : 0)
