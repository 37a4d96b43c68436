// What a command is, and all that it may touch. One file in commands/ is one command; its name is the file's name.
import type { Command as Commander } from 'commander'
import type { KubeObject } from '../contract.ts'
import type { Clock, Kube, Transport } from '../ports.ts'

/** The process around a command: real in src/main.ts, values in tests. */
export type Io = Readonly<{
  /** What users call us: `pintle` or `kubectl pintle`. */
  program: string
  /** Text to stdout, as it is. */
  write(text: string): void
  /** Text to stderr, as it is. */
  complain(text: string): void
  /** Whether stdout is a terminal; `size` is its current one. */
  isTty: boolean
  size(): Readonly<{ columns: number; rows: number }>
  env: Readonly<Record<string, string | undefined>>
  clock: Clock
  /** A signal that Ctrl-C and SIGTERM abort; asking for it means that the command ends itself then. */
  stopped(): AbortSignal
  /** Runs `what` when somebody asks this process by SIGUSR2 to be replaced. */
  whenReplaced?(what: () => void): void
  /** Where the cluster is reached; for tests. */
  dial?: Dial
}>

export type Target = Readonly<{ path?: string; context?: string }>

/** A way to an API server, and the namespace that is meant when none is given. */
export type Access = Readonly<{ transport: Transport; namespace: string; close?: () => Promise<void> }>
export type Dial = (target: Target) => Promise<Access>

export type Flags = Readonly<Record<string, unknown>>

/** The kinds that commands deal with by name. */
export type KindName =
  | 'Rollout'
  | 'Experiment'
  | 'AnalysisRun'
  | 'AnalysisTemplate'
  | 'ClusterAnalysisTemplate'
  | 'ReplicaSet'
  | 'Pod'

/** The cluster as commands use it: one namespace, kinds by name. Errors are ApiError of src/kube. */
export type Cluster = Readonly<{
  namespace: string
  transport: Transport
  kube: Kube
  get(kind: KindName, name: string): Promise<KubeObject>
  /** Objects in the namespace, or everywhere; none where the kind is not installed. */
  list(kind: KindName, options?: Readonly<{ everywhere?: boolean; name?: string }>): Promise<readonly KubeObject[]>
  /** A merge patch. */
  patch(kind: KindName, name: string, patch: unknown, subresource?: 'status'): Promise<KubeObject>
  create(object: KubeObject): Promise<KubeObject>
  close(): Promise<void>
}>

export type Context = Io &
  Readonly<{
    flags: Flags
    /** A line to stdout. */
    out(line: string): void
    /** A line to stderr. */
    err(line: string): void
    /** Connects on first use, so that --help and typos stay instant. */
    kube(): Promise<Cluster>
    /** Which kubeconfig, context and namespace were asked for. */
    target: Target & Readonly<{ namespace?: string }>
  }>

export type Command = Readonly<{
  summary: string
  /** Operands as `<one>`, `[maybe]`, `<many...>`. */
  args?: string
  /** Without the program's name. */
  examples?: readonly string[]
  /** Other names for the last word. */
  aliases?: readonly string[]
  /** Not shown in the list of commands. */
  hidden?: boolean
  /** Words that are not for us to read: handed to `run` as they are. */
  raw?: boolean
  options?(command: Commander): unknown
  /** Answers the exit code. */
  run(context: Context, args: readonly string[]): Promise<number>
}>

/** Declares a command; exists for its types. */
export const defineCommand = (command: Command): Command => command

/** The command was called wrongly in a way that only it can see: its usage is printed. */
export class UsageError extends Error {}
