// What came in one read for one HTTP/1.1 client, held until something else comes: its head and its pieces go in one write.
// There is one read at a time, so one holder at a time.

type Holder = { letGo(): void }

let holder: Holder | undefined

/** `next` holds from now on; whoever held before lets go first. */
export function holdFor(next: Holder): void {
  if (holder === next) return
  letGo()
  holder = next
}

/** The read is over, or the octets are about to be written over. */
export function letGo(): void {
  const before = holder
  holder = undefined
  before?.letGo()
}
