// The tree of a condition.

export type Node =
  | Readonly<{ is: 'nil' }>
  | Readonly<{ is: 'bool'; value: boolean }>
  | Readonly<{ is: 'int'; value: bigint }>
  | Readonly<{ is: 'float'; value: number }>
  | Readonly<{ is: 'string'; value: string }>
  | Readonly<{ is: 'bytes'; value: Uint8Array }>
  | Readonly<{ is: 'name'; name: string }>
  /** `#`, `#index`, `#acc`, or the invisible one before `.field`. */
  | Readonly<{ is: 'pointer'; name: string }>
  | Readonly<{ is: 'unary'; operator: string; node: Node }>
  | Readonly<{ is: 'binary'; operator: string; left: Node; right: Node }>
  | Readonly<{ is: 'member'; base: Node; property: Node; isOptional: boolean; isField: boolean }>
  | Readonly<{ is: 'slice'; base: Node; from: Node | undefined; to: Node | undefined }>
  /** Around a chain with `?.`: nil somewhere makes all of it nil. */
  | Readonly<{ is: 'chain'; node: Node }>
  | Readonly<{ is: 'call'; callee: Node; args: readonly Node[] }>
  | Readonly<{ is: 'builtin'; name: string; args: readonly Node[] }>
  /** The body of a predicate such as `# > 1`. */
  | Readonly<{ is: 'predicate'; body: Node }>
  | Readonly<{ is: 'let'; name: string; value: Node; body: Node }>
  | Readonly<{ is: 'sequence'; nodes: readonly Node[] }>
  | Readonly<{ is: 'choice'; condition: Node; yes: Node; no: Node }>
  | Readonly<{ is: 'array'; items: readonly Node[] }>
  | Readonly<{ is: 'map'; pairs: readonly (readonly [key: Node, value: Node])[] }>
