// A write of an experiment, and what it means when the API server refuses it.
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
