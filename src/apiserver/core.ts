// What every part of the embedded server works on: the stored objects, the served kinds, time and chance.
import type { KubeObject } from '../contract.ts'
import type { Clock, Random } from '../ports.ts'
import type { Kinds } from './kinds.ts'
import type { KindDef } from './model.ts'
import type { Store } from './store.ts'

export type Core = Readonly<{ clock: Clock; random: Random; kinds: Kinds; store: Store }>

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export type WriteOptions = Readonly<{
  /** Goes through every step, stores nothing. */
  dryRun?: boolean
  /** What happens to unknown fields; they are dropped in every case. Warn when not given. */
  fieldValidation?: FieldValidation
  /** Gets the text of each warning. */
  warn?: (text: string) => void
  /** Paths of members that the text named twice; treated like unknown fields. */
  duplicates?: readonly string[]
}>

/** An object that is being built, before it is frozen. */
export type Draft = Record<string, unknown> & { apiVersion: string; kind: string; metadata: Record<string, unknown> }

/** RFC 3339 with whole seconds, as metadata carries it. `at` in milliseconds. */
export const timeText = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')

/** A random version 4 UUID. */
export const uuid = (random: Random): string => {
  const digits = Array.from({ length: 32 }, (_, index) => {
    const digit = Math.floor(random() * 16)
    return (index === 12 ? 4 : index === 16 ? (digit & 3) | 8 : digit).toString(16)
  }).join('')
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  )
}

// No vowels and no look-alikes, as the real server: generated names spell nothing.
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** The name made from a generateName: the base cut to 58 characters and five random ones. */
export const generatedName = (base: string, random: Random): string => {
  let name = base.slice(0, 58)
  for (let count = 0; count < 5; count += 1) name += ALPHABET[Math.floor(random() * ALPHABET.length)]
  return name
}

/** Whether a kind is the one named; the version does not matter. */
export const isKind = (def: Pick<KindDef, 'group' | 'kind'>, group: string, kind: string): boolean =>
  def.group === group && def.kind === kind

/** A stored object in the version of a kind; schemas of a custom kind's versions are not converted, as with `None`. */
export const inVersionOf = (def: KindDef, object: KubeObject): KubeObject => {
  const apiVersion = def.group === '' ? def.version : `${def.group}/${def.version}`
  return object.apiVersion === apiVersion ? object : Object.freeze({ ...object, apiVersion })
}
