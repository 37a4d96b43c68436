// The Huffman code of HPACK (RFC 7541 5.2 and appendix B), read four bits at a time. Nothing is written in it: octets that
// are sent once and then named by a number are not worth the time.

/** Bits of the code of each octet, and of EOS behind them. The codes follow: shorter ones first, then by value. */
const BITS = Buffer.from(
  // biome-ignore format: sixteen in a row, as appendix B lets one count
  [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
  ],
)
const EOS = 256
const LONGEST = 30

/** A step by four bits from a node of the tree: the node after it, in the upper bits, */
const NODE_SHIFT = 9
/** the octet that ended on the way, */
const HAS_OCTET = 0x100
/** or this: no code begins so, or it is that of EOS (RFC 7541 5.2). */
const WRONG = 0x7fff_ffff
/** May the octets end at this node? Only less than eight bits, all ones, may be left over. */
let isEnd: Uint8Array
let steps: Uint32Array | undefined

/** Decodes [from, to) of `buf` into `out` from `at` on, which must have room for 8/5 as many octets. Where the text ends
 * there, or -1: it is no proper code. */
export function unhuffman(buf: Buffer, from: number, to: number, out: Buffer, at: number): number {
  steps ??= makeSteps()
  let node = 0
  let end = at
  for (let i = from; i < to; i++) {
    const octet = buf[i]!
    let step = steps[(node << 4) | (octet >> 4)]!
    if (step === WRONG) return -1
    if ((step & HAS_OCTET) !== 0) out[end++] = step
    step = steps[((step >>> NODE_SHIFT) << 4) | (octet & 15)]!
    if (step === WRONG) return -1
    if ((step & HAS_OCTET) !== 0) out[end++] = step
    node = step >>> NODE_SHIFT
  }
  return isEnd[node] === 1 ? end : -1
}

/** A node of the tree: its two branches, each a node's place or, below zero, the octet that ends there. */
type Node = [zero: number, one: number]
const NOTHING = 0
const leafOf = (symbol: number): number => -1 - symbol

function makeSteps(): Uint32Array {
  const tree = makeTree()
  isEnd = new Uint8Array(tree.length)
  for (let node = 0, bits = 0; bits < 8; bits++) {
    isEnd[node] = 1
    node = tree[node]![1]
  }
  const made = new Uint32Array(tree.length * 16)
  for (let from = 0; from < tree.length; from++)
    for (let nibble = 0; nibble < 16; nibble++) made[(from << 4) | nibble] = stepOf(tree, from, nibble)
  return made
}

function stepOf(tree: readonly Node[], from: number, nibble: number): number {
  let node = from
  let octet = 0
  for (let bit = 3; bit >= 0; bit--) {
    const next = tree[node]![(nibble >> bit) & 1]!
    if (next === leafOf(EOS)) return WRONG
    if (next < 0) octet = HAS_OCTET | -(next + 1)
    node = Math.max(0, next)
  }
  return ((node << NODE_SHIFT) | octet) >>> 0
}

function makeTree(): readonly Node[] {
  const tree: Node[] = [[NOTHING, NOTHING]]
  let code = 0
  for (let bits = 1; bits <= LONGEST; bits++, code <<= 1)
    for (let symbol = 0; symbol <= EOS; symbol++) if (BITS[symbol] === bits) plant(tree, code++, bits, symbol)
  return tree
}

function plant(tree: Node[], code: number, bits: number, symbol: number): void {
  let node = 0
  for (let bit = bits - 1; bit > 0; bit--) {
    const way = ((code >> bit) & 1) as 0 | 1
    if (tree[node]![way] === NOTHING) tree[node]![way] = tree.push([NOTHING, NOTHING]) - 1
    node = tree[node]![way]
  }
  tree[node]![(code & 1) as 0 | 1] = leafOf(symbol)
}
