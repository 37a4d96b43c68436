// Running a virtual world: let everything that can happen now happen, then jump to the next timer.
import { setImmediate as turn } from 'node:timers/promises'
import type { Millis } from '../contract.ts'
import type { VirtualClock } from './clock.ts'

/** Something that changes whenever the world does, such as the store's version. */
export type Pulse = () => unknown

const TURNS = 10_000

/** Waits until no promise is left to run and neither `pulse` nor the timers change over a whole turn of the event loop.
 * Throws when the world does not come to rest, which is a hot loop in one of its controllers. */
export async function settle(clock: VirtualClock, pulse: Pulse = () => 0): Promise<void> {
  for (let turns = 0; turns < TURNS; turns++) {
    const before = [pulse(), clock.timersSet()]
    await turn()
    const after = [pulse(), clock.timersSet()]
    if (before[0] === after[0] && before[1] === after[1]) return
  }
  throw new Error(`the simulated world does not come to rest at ${new Date(clock.now()).toISOString()}`)
}

/** Runs the world until the clock stands at `time`; each timer's consequences come to rest before the next one runs. */
export async function runTo(clock: VirtualClock, time: Millis, pulse?: Pulse): Promise<void> {
  await settle(clock, pulse)
  for (let due = clock.next(); due !== undefined && due <= time; due = clock.next()) {
    clock.advanceTo(due)
    await settle(clock, pulse)
  }
  clock.advanceTo(time)
  await settle(clock, pulse)
}

/** Runs the world until `met`, asked whenever it is at rest. False when `time` came first or nothing is left to happen. */
export async function runUntil(clock: VirtualClock, met: () => boolean, time: Millis, pulse?: Pulse): Promise<boolean> {
  await settle(clock, pulse)
  while (!met()) {
    const due = clock.next()
    if (due === undefined || due > time) return false
    clock.advanceTo(due)
    await settle(clock, pulse)
  }
  return true
}
