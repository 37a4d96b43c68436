// Compares how a story went with how it was recorded: sequences of states, events in order, snapshots.
import type { KubeObject } from '../contract.ts'
import { type Spell, spellsOf, UNSET } from './facet.ts'
import { comparable, podText, withoutWorkloadHashes } from './normalise.ts'
import { fit } from './sequence.ts'
import type { Entry, Recording } from './story.ts'

/** One thing that is not as recorded. `missing`: only in the recording; `extra`: only in the play; `order`: in both, but
 * at different places; `value`: a field of a snapshot. */
export type Difference = Readonly<{
  on: string
  facet: string
  what: 'missing' | 'extra' | 'order' | 'value'
  detail: string
}>

/** A recorded state that stood for a shorter time may be left out: the reference passes through it between two of the
 * several writes that it makes. Seconds. */
export const BRIEF = 0.5

/** Everything in which the play differs from the recording. Left-out brief states and repetitions do not count. */
export function compare(before: Recording, after: Recording): readonly Difference[] {
  const [recorded, played] = [withoutWorkloadHashes(before), withoutWorkloadHashes(after)]
  return [
    ...compareSpells(recorded.timeline, played.timeline),
    ...compareEvents(recorded.timeline, played.timeline),
    ...compareSnapshots(recorded, played),
  ]
}

const endOf = (timeline: readonly Entry[]): number => Math.max(0, ...timeline.map(entry => entry.t)) + 2

function compareSpells(recorded: readonly Entry[], played: readonly Entry[]): Difference[] {
  const before = spellsOf(recorded, endOf(recorded))
  const after = spellsOf(played, endOf(played))
  const differences: Difference[] = []
  for (const on of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(on), after.get(on)]
    for (const facet of new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])]))
      differences.push(...compareFacet(on, facet, one?.get(facet) ?? [], other?.get(facet) ?? []))
  }
  return differences
}

const isBrief = (spell: Spell): boolean => spell.until - spell.t < BRIEF

/** Facets that follow the counts of ready Pods: which of their states show for a moment depends on how the changes of
 * several Pods interleave. All others are decisions, of which also a brief one counts. */
const follows = (facet: string): boolean => facet === 'phase' || facet.startsWith('condition ')

function compareFacet(on: string, facet: string, before: readonly Spell[], played: readonly Spell[]): Difference[] {
  // A field that was never set here has been unset all the time, also when it came and went there.
  const after = played.length === 0 ? [{ value: UNSET, t: 0, until: Number.POSITIVE_INFINITY }] : played
  const whole = differencesOf(on, facet, before, after)
  if (whole.length === 0 || !follows(facet)) return whole
  const known = new Set(before.map(spell => spell.value))
  const calm = calmed(after, value => known.has(value))
  const tries = [
    whole,
    differencesOf(on, facet, before, calm),
    differencesOf(
      on,
      facet,
      calmed(before, () => true),
      calm,
    ),
  ]
  return tries.reduce((least, other) => (other.length < least.length ? other : least))
}

/** Without the brief spells that may be left out, and what they parted joined again. */
const calmed = (spells: readonly Spell[], mayGo: (value: string) => boolean): readonly Spell[] =>
  spells
    .filter((spell, i) => i === spells.length - 1 || !isBrief(spell) || !mayGo(spell.value))
    .reduce<Spell[]>((list, spell) => {
      const last = list.at(-1)
      if (last?.value === spell.value) list[list.length - 1] = { ...last, until: spell.until }
      else list.push(spell)
      return list
    }, [])

function differencesOf(on: string, facet: string, before: readonly Spell[], after: readonly Spell[]): Difference[] {
  const last = before.length - 1
  const isNeeded = (index: number) => index === last || !isBrief(before[index]!)
  const values = (spells: readonly Spell[]) => spells.map(spell => spell.value)
  const { missing, extra } = fit(values(before), values(after), index => (isNeeded(index) ? 1000 : 1))
  const show = (spell: Spell) => `${spell.value} (${spell.t} s to ${spell.until} s)`
  return [
    ...missing.filter(isNeeded).map(index => ({ on, facet, what: 'missing' as const, detail: show(before[index]!) })),
    ...extra
      .filter(index => after[index]!.value !== UNSET || after.length > 1)
      .map(index => ({ on, facet, what: 'extra' as const, detail: show(after[index]!) })),
  ]
}

/** The reference's client stops telling of an object after so many events of a type in a row (its spam filter). */
const EVENT_BUDGET = 25
/** ... and folds more than ten of one reason into one. */
const FOLDED = '(combined from similar events): '

function eventsOf(timeline: readonly Entry[]): ReadonlyMap<string, readonly string[]> {
  const events = new Map<string, string[]>()
  for (const { event } of timeline) {
    if (!event) continue
    const list = events.get(event.on) ?? []
    events.set(event.on, list)
    list.push(`${event.type} ${event.reason}: ${event.message.replace(FOLDED, '')}`)
  }
  return events
}

function compareEvents(recorded: readonly Entry[], played: readonly Entry[]): Difference[] {
  const before = eventsOf(recorded)
  const after = eventsOf(played)
  const differences: Difference[] = []
  for (const on of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(on) ?? [], after.get(on) ?? []]
    const { missing, extra } = fit(one, other, () => 1)
    const silent = silentFrom(one, other, new Set(extra))
    const lost = countOf(missing.map(index => one[index]!))
    const gained = countOf(extra.filter(index => index < silent(other[index]!)).map(index => other[index]!))
    for (const text of new Set([...lost.keys(), ...gained.keys()])) {
      const [minus, plus] = [lost.get(text) ?? 0, gained.get(text) ?? 0]
      const what = minus > plus ? 'missing' : minus < plus ? 'extra' : 'order'
      const times = Math.abs(minus - plus)
      differences.push({ on, facet: 'events', what, detail: times > 1 ? `${times} times ${text}` : text })
    }
  }
  return differences
}

/** From where on in the play nothing can be said of an event, because the recording had fallen silent for its type. */
function silentFrom(recorded: readonly string[], played: readonly string[], extra: ReadonlySet<number>) {
  const typeOf = (text: string) => text.split(' ')[0]
  return (text: string): number => {
    const type = typeOf(text)
    if (recorded.filter(other => typeOf(other) === type).length < EVENT_BUDGET) return played.length
    return played.findLastIndex((other, i) => typeOf(other) === type && !extra.has(i)) + 1
  }
}

function countOf(list: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const item of list) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

function compareSnapshots(recorded: Recording, played: Recording): Difference[] {
  return Object.entries(recorded.snapshots).flatMap(([name, { objects, t }]) => {
    const other = played.snapshots[name]
    if (!other) return [{ on: name, facet: 'snapshots', what: 'missing' as const, detail: 'was not taken' }]
    return compareObjects(`snapshot ${name}`, objects, other.objects, momentsAround(recorded.timeline, t))
  })
}

/** Did this field of this object have this value a moment before or after? */
type Around = (on: string, path: string, value: unknown) => boolean

/** The snapshot may have been taken between two writes of one pass: what stood a moment before or after is as good. */
function momentsAround(timeline: readonly Entry[], t: number): Around {
  const near = new Map<string, Set<string>>()
  const before = new Map<string, string>()
  for (const { on, set, t: time } of timeline) {
    if (on === undefined) continue
    for (const [path, value] of Object.entries(set ?? {})) {
      const key = `${on} ${path}`
      if (time >= t - BRIEF && time <= t + BRIEF) {
        const values = near.get(key) ?? new Set([before.get(key) ?? 'null'])
        near.set(key, values.add(JSON.stringify(value)))
      }
      before.set(key, JSON.stringify(value))
    }
  }
  return (on, path, value) => near.get(`${on} ${path}`)?.has(JSON.stringify(value ?? null)) ?? false
}

const nowhere: Around = () => false

const isPod = (object: KubeObject): boolean => object.kind === 'Pod'

/** Differences between two sets of objects, Pods taken as a bag. `facet` names the occasion. */
export function compareObjects(
  facet: string,
  recorded: readonly KubeObject[],
  played: readonly KubeObject[],
  around: Around = nowhere,
): readonly Difference[] {
  const named = (objects: readonly KubeObject[]) =>
    new Map(objects.filter(o => !isPod(o)).map(o => [`${o.kind}/${o.metadata.name}`, o]))
  const [before, after] = [named(recorded), named(played)]
  const differences: Difference[] = []
  for (const on of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(on), after.get(on)]
    if (!one || !other) differences.push({ on, facet, what: one ? 'missing' : 'extra', detail: 'the object' })
    else differences.push(...compareFields(on, facet, one, other, around))
  }
  const pods = (objects: readonly KubeObject[]) => objects.filter(isPod).map(podText).sort()
  const [one, other] = [pods(recorded), pods(played)]
  const { missing, extra } = fit(one, other, () => 1)
  for (const index of missing) differences.push({ on: 'Pods', facet, what: 'missing', detail: one[index]! })
  for (const index of extra) differences.push({ on: 'Pods', facet, what: 'extra', detail: other[index]! })
  return differences
}

function compareFields(
  on: string,
  facet: string,
  one: KubeObject,
  other: KubeObject,
  around: Around,
): readonly Difference[] {
  const [before, after] = [comparable(one), comparable(other)]
  const show = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value))
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter(path => JSON.stringify(before.get(path)) !== JSON.stringify(after.get(path)))
    .filter(path => !around(on, path, after.get(path)))
    .map(path => ({
      on,
      facet,
      what: 'value' as const,
      detail: `${path}: recorded ${show(before.get(path))}, here ${show(after.get(path))}`,
    }))
}

/** A difference as one line. */
export const differenceText = ({ on, facet, what, detail }: Difference): string =>
  `${on}, ${facet}: ${what === 'value' ? '' : `${what} `}${detail}`
