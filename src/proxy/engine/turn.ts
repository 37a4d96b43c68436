// The end of a turn of the event loop: the sockets have been looked at, and whoever had something to say has.

type Gatherer = { flush(): void }

let waiting: Gatherer[] = []

/** Has `one` write what it gathered when the turn ends. */
export function atTurnEnd(one: Gatherer): void {
  if (waiting.length === 0) setImmediate(flushAll)
  waiting.push(one)
}

function flushAll(): void {
  const due = waiting
  waiting = []
  for (const one of due) one.flush()
}
