// A write of an experiment, and what it means when the API server refuses it.
import type { Experiment } from '../api/experiment.ts'
import type { Action } from '../contract.ts'

export type Task = Readonly<{
  /** Whose status tells of a refusal: `template NAME` or `analysis NAME`. */
  of: string
  action: Action
  /** How the message about a refusal begins. */
  failure: string
}>

export const templateKey = (name: string): string => `template ${name}`
export const analysisKey = (name: string): string => `analysis ${name}`
export const EXPERIMENT_KEY = 'experiment'

/** All keys in the order in which things are told. */
export const keysOf = ({ spec }: Experiment): readonly string[] => [
  ...spec.templates.map(({ name }) => templateKey(name)),
  ...(spec.analyses ?? []).map(({ name }) => analysisKey(name)),
  EXPERIMENT_KEY,
]
