// HPACK (RFC 7541): the examples of its appendix C are read as it says, blocks that are none are not read at all, and what is
// written means what it was made from, whatever the table has come to.
import { deepStrictEqual } from 'node:assert'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import { test } from 'tap'
import { HpackDecoder } from '../../src/proxy/h2/wire/hpack-decode.ts'
import { HpackEncoder } from '../../src/proxy/h2/wire/hpack-encode.ts'
import { open } from './h2-kit.ts'
import { PREFACE } from './h2-raw.ts'
import { eventually } from './kit.ts'

const MOST = 1_000_000
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Reads a block in the midst of other octets, which mean something too. */
function read(decoder: HpackDecoder, block: Buffer | string) {
  const octets = typeof block === 'string' ? hex(block) : block
  const around = Buffer.from('61626364', 'hex')
  return decoder.decode(Buffer.concat([around, octets, around]), 4, 4 + octets.length)
}

/** The same as `name: value`. */
function lines(decoder: HpackDecoder, block: Buffer | string): string[] | undefined | null {
  const list = read(decoder, block)
  return list && Array.from({ length: list.length / 2 }, (_, i) => `${list[2 * i]}: ${list[2 * i + 1]}`)
}

test('the examples of appendix C', async t => {
  const get = (path: string, ...more: string[]): string[] => [
    ':method: GET',
    `:scheme: ${path === '/' ? 'http' : 'https'}`,
    `:path: ${path}`,
    ':authority: www.example.com',
    ...more,
  ]
  const answer = (status: string, second: string, ...more: string[]): string[] => [
    `:status: ${status}`,
    'cache-control: private',
    `date: Mon, 21 Oct 2013 20:13:${second} GMT`,
    'location: https://www.example.com',
    ...more,
  ]
  const cookie = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'
  const requests = [
    get('/'),
    get('/', 'cache-control: no-cache'),
    get('/index.html', 'custom-key: custom-value'),
  ] as const
  const answers = [
    answer('302', '21'),
    answer('307', '21'),
    answer('200', '22', 'content-encoding: gzip', cookie),
  ] as const
  /** The table of C.5 and C.6 has 256 octets. */
  const of256 = ['3fe101', []] as const
  const rows: readonly (readonly [why: string, blocks: readonly (readonly [string, readonly string[]])[]])[] = [
    [
      'C.2.1: added',
      [
        ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key: custom-header']],
        ['be', ['custom-key: custom-header']],
      ],
    ],
    ['C.2.2: not added', [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path']]]],
    ['C.2.3: never added', [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret']]]],
    ['C.2.4: indexed', [['82', [':method: GET']]]],
    [
      'C.3: requests',
      [
        ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', requests[0]],
        ['8286 84be 5808 6e6f 2d63 6163 6865', requests[1]],
        ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', requests[2]],
      ],
    ],
    [
      'C.4: requests with Huffman coding',
      [
        ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', requests[0]],
        ['8286 84be 5886 a8eb 1064 9cbf', requests[1]],
        ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', requests[2]],
      ],
    ],
    [
      'C.5: answers',
      [
        of256,
        [
          `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d
          546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
          answers[0],
        ],
        ['4803 3330 37c1 c0bf', answers[1]],
        [
          `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
          6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
          2076 6572 7369 6f6e 3d31`,
          answers[2],
        ],
        // What is left in the table, and in which order.
        ['bebf c0', [cookie, 'content-encoding: gzip', 'date: Mon, 21 Oct 2013 20:13:22 GMT']],
      ],
    ],
    [
      'C.6: answers with Huffman coding',
      [
        of256,
        [
          `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7
          8f0b 97c8 e9ae 82ae 43d3`,
          answers[0],
        ],
        ['4883 640e ffc1 c0bf', answers[1]],
        [
          `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
          dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
          answers[2],
        ],
        ['bebf c0', [cookie, 'content-encoding: gzip', 'date: Mon, 21 Oct 2013 20:13:22 GMT']],
      ],
    ],
  ]
  for (const [why, blocks] of rows) {
    const decoder = new HpackDecoder(MOST)
    for (const [block, fields] of blocks) t.same(lines(decoder, block.replace(/\s/g, '')), fields, why)
  }
})

/** a: b, added to the table. */
const ADD = '4001610162'

test('what is no HPACK, and what is next to it', async t => {
  const rows: readonly (readonly [why: string, blocks: readonly string[], last: readonly string[] | undefined])[] = [
    ['nothing', [''], []],
    ['index 0', ['80'], undefined],
    ['the last of the static table', ['bd'], ['www-authenticate: ']],
    ['an index beyond it', ['be'], undefined],
    ['a name beyond it, added', ['7e0161'], undefined],
    ['a name beyond it, not added', ['0f2f0161'], undefined],
    ['a name beyond it, never added', ['1f2f0161'], undefined],
    ['the last of the table', [ADD, 'be'], ['a: b']],
    ['a name of the table, with another value', [ADD, '7e0163'], ['a: c']],
    ['an index beyond the table', [ADD, 'bf'], undefined],
    ['an index far beyond it', [ADD, 'ffffff7f'], undefined],
    ['an entry that a size update threw out', [ADD, '20be'], undefined],
    ['an entry as large as the table', ['3f03 4001610162', 'be'], ['a: b']],
    ['one that does not fit empties it', ['3f02 4001610162', 'be'], undefined],
    ['an entry that another threw out', ['3f23 4001610162 4001630164', 'be'], ['c: d']],
    ['and the number that it had', ['3f23 4001610162 4001630164', 'bf'], undefined],
    ['an entry named by one that throws it out', ['3f03 4001610162', '7e0163 be'], ['a: c', 'a: c']],
    ['a number with more octets than it needs', ['ff8000'], undefined],
    ['the same for one that means something', ['0f80 00 0161'], ['accept-charset: a']],
    ['a number that does not end', ['ff'], undefined],
    ['one that breaks off', ['ff80'], undefined],
    ['one that is 2 in 32 bits', ['ff83ffffff0f'], undefined],
    ['one of more than 64 bits', ['ffffffffffffffffffffff7f'], undefined],
    ['a length that breaks off', ['04ff'], undefined],
    ['a length that is 1 in 32 bits', ['047f82ffffff0f61'], undefined],
    ['a length below 0 in 32 bits', ['047f80ffffff0761'], undefined],
    ['no name', ['40'], undefined],
    ['no value', ['400161'], undefined],
    ['no value for a name of the static table', ['04'], undefined],
    ['a name that goes beyond the block', ['400261'], undefined],
    ['a value that goes beyond the block', ['4001610262'], undefined],
    ['a coded value that goes beyond the block', ['0483f8'], undefined],
    ['a value that ends with the block', ['0401f8'], [':path: \xf8']],
    ['an empty name and an empty value', ['000000'], [': ']],
    ['a coded text of nothing', ['0480'], [':path: ']],
    ['padding of 3 bits', ['04811f'], [':path: a']],
    ['padding of 7 bits', ['048418c631ff'], [':path: aaaaa']],
    ['padding of 8 bits, alone', ['0481ff'], undefined],
    ['padding of 8 bits behind a text', ['0482f8ff'], undefined],
    ['the same text without', ['0481f8'], [':path: &']],
    ['padding of 11 bits', ['04821fff'], undefined],
    ['padding of zeros', ['048118'], undefined],
    ['padding that ends with zero', ['04811e'], undefined],
    ['a code that breaks off', ['0481fe'], undefined],
    ['EOS', ['0484fffffffc'], undefined],
    ['EOS and padding', ['0484ffffffff'], undefined],
    ['EOS behind a text', ['04851fffffffff'], undefined],
    ['EOS in a name', ['4084ffffffff0161'], undefined],
    ['wrong padding in a name', ['4081180161'], undefined],
    ['a size update behind a field', ['8220'], undefined],
    ['the same in front', ['2082'], [':method: GET']],
    ['two size updates', ['203fe11f82'], [':method: GET']],
    ['a size update of 4096', ['3fe11f'], []],
    ['a size update of 4097', ['3fe21f'], undefined],
    ['a size update beyond the table, behind another', ['203fe21f82'], undefined],
    ['a size update that does not end', ['3f'], undefined],
    ['a size update that is 0 in 32 bits', ['3fe1ffffff0f'], undefined],
  ]
  for (const [why, blocks, last] of rows) {
    const decoder = new HpackDecoder(MOST)
    for (const block of blocks.slice(0, -1)) t.ok(lines(decoder, block), `${why}: before`)
    t.same(lines(decoder, blocks.at(-1)!), last, why)
  }
})

test('octets of any kind are a list, or none', async t => {
  let [lists, none] = [0, 0]
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), all => {
      const decoder = new HpackDecoder(MOST)
      for (const block of all) {
        const found = lines(decoder, Buffer.from(block))
        if (found === undefined) none++
        else lists += found!.length
      }
    }),
    { numRuns: 3000 },
  )
  t.ok(lists > 100 && none > 100, `${lists} fields, and ${none} blocks that are none`)
})

test('a list that is too long is none, and the table is what it would be', async t => {
  // A field counts 32 octets more than it has.
  const decoder = new HpackDecoder(2 * 34 + 1)
  t.same(lines(decoder, `${ADD}be`), ['a: b', 'a: b'], 'as long as it may be')
  t.equal(lines(decoder, `${ADD}be0001630264ff`), null, 'too long by a field that is longer')
  t.equal(lines(decoder, '4001630164 bebe'), null)
  t.same(lines(decoder, 'bebf'), ['c: d', 'a: b'], 'what it added is there')
  t.equal(lines(decoder, '20828282'), null)
  t.equal(lines(decoder, 'be'), undefined, 'and what it threw out is not')
  const large = new HpackDecoder(100)
  t.same(lines(large, ADD), ['a: b'])
  t.same(lines(large, 'be'), ['a: b'])
  t.equal(lines(large, '4001630164 bebe'), null)
  t.same(
    lines(large, 'be'),
    ['c: d'],
    'the block that was read before has got another meaning by one that was too long',
  )
  t.equal(lines(large, `bebebe80`), undefined, 'what is no HPACK is none, however long it is')
})

test('a block that comes again is the same list, as long as it means the same', async t => {
  const decoder = new HpackDecoder(MOST)
  read(decoder, ADD)
  const first = read(decoder, '82be')
  t.equal(read(decoder, '82be'), first, 'the same')
  t.same(lines(decoder, '83be'), [':method: POST', 'a: b'], 'another first octet')
  t.same(lines(decoder, '83bd'), [':method: POST', 'www-authenticate: '], 'another last one')
  t.same(lines(decoder, '83'), [':method: POST'], 'a shorter one')
  t.same(lines(decoder, '82be'), [':method: GET', 'a: b'])
  t.same(lines(decoder, '4001630164'), ['c: d'])
  t.same(lines(decoder, '82be'), [':method: GET', 'c: d'], 'another meaning')
  t.same(lines(decoder, '4001630164'), ['c: d'], 'one that adds adds again')
  t.same(lines(decoder, 'bebfc0'), ['c: d', 'c: d', 'a: b'])
  t.same(lines(decoder, 'bebfc0'), ['c: d', 'c: d', 'a: b'])
  t.equal(lines(decoder, '20bebfc0'), undefined, 'none of it is left')
  const long = Buffer.concat([hex('047f8110'), Buffer.alloc(2176, 'p')])
  t.same(read(decoder, long), [':path', 'p'.repeat(2176)], 'a long one')
  long[long.length - 1] = 113
  t.same(read(decoder, long), [':path', `${'p'.repeat(2175)}q`], 'and one that ends otherwise')
})

test('how fields are written', async t => {
  const rows: readonly (readonly [why: string, heads: readonly Record<string, string>[], blocks: readonly string[]])[] =
    [
      ['of the static table', [{ ':status': '200' }], ['88']],
      ['a name of it', [{ server: 'a' }, { server: 'a' }, { server: 'b' }], ['76 0161', 'be', '76 0162']],
      ['neither', [{ a: 'b' }, { a: 'b' }], [ADD, 'be']],
      ['another each time', [{ etag: 'b' }, { etag: 'b' }], ['0f13 0162', '0f13 0162']],
      ['a value that is long', [{ a: 'b'.repeat(513) }], [`000161 7f8203${'62'.repeat(513)}`]],
      ['secrets are never in a table, not even in that of the next proxy', [{ cookie: 'b' }], ['1f11 0162']],
      ['nor another time', [{ cookie: 'b' }, { cookie: 'b' }], ['1f11 0162', '1f11 0162']],
      ['nor where another field has the same value', [{ a: 'b', authorization: 'b' }], [`${ADD} 1f08 0162`]],
      ['proxy-authorization', [{ 'proxy-authorization': 'b' }], ['1f22 0162']],
      ['set-cookie', [{ 'set-cookie': 'b' }], ['1f28 0162']],
    ]
  for (const [why, heads, blocks] of rows) {
    const encoder = new HpackEncoder()
    for (const [i, head] of heads.entries())
      t.equal(encoder.encode(head).toString('hex'), blocks[i]?.replaceAll(' ', ''), why)
  }
})

test('the peer is told the size of the table when it allows another', async t => {
  const rows: readonly (readonly [why: string, sizes: readonly number[], updates: string])[] = [
    ['none', [], ''],
    ['the one that there is', [4096], ''],
    ['more than is used here', [2 ** 32 - 1], ''],
    ['nothing', [0], '20'],
    ['less', [100], '3f45'],
    ['less and less', [200, 100], '3f45'],
    ['nothing in between', [0, 4096], '20 3fe11f'],
    ['less in between', [100, 50, 200], '3f13 3fa901'],
    ['less, and then more than is used here', [50, 100_000], '3f13 3fe11f'],
  ]
  for (const [why, sizes, updates] of rows) {
    const encoder = new HpackEncoder()
    encoder.encode({ a: 'b' })
    for (const size of sizes) encoder.allow(size)
    const [size, least] = [Math.min(4096, sizes.at(-1) ?? 4096), Math.min(4096, ...sizes)]
    // An entry of 34 octets.
    const field = least >= 34 ? 'be' : size >= 34 ? ADD : ADD.replace('4', '0')
    t.equal(encoder.encode({ a: 'b' }).toString('hex'), updates.replace(' ', '') + field, why)
    t.equal(encoder.encode({ a: 'b' }).toString('hex'), size >= 34 ? 'be' : field, `${why}: told once`)
  }
})

type Head = Record<string, string | string[] | number>

test('what is written is read, however the table changes', async t => {
  const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map(n => String.fromCharCode(n)), maxLength: 20 })
  const name = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom('a', 'server', 'cookie', 'etag', 'accept-encoding', 'vary', 'authorization'),
    },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 400 }).map(n => `x-${n}`) },
  )
  const text = fc.oneof(
    fc.constantFrom('', 'a', 'b', 'gzip, deflate'),
    fc.constantFrom(...[126, 127, 128, 480, 512, 513, 9000].map(size => 'v'.repeat(size))),
    fc.integer({ min: 0, max: 300 }).map(n => `value ${n}`),
    latin1,
  )
  const value = fc.oneof({ weight: 5, arbitrary: text }, fc.array(text, { maxLength: 3 }), fc.nat())
  const head: fc.Arbitrary<Head> = fc.array(fc.tuple(name, value), { maxLength: 12 }).map(Object.fromEntries)
  const path = fc.option(fc.constantFrom('/', '/index.html', '/a?b', `/${'p'.repeat(300)}`), { nil: undefined })
  const size = fc.oneof(fc.constantFrom(0, 31, 32, 40, 100, 600, 4096, 4097), fc.nat(10_000))
  // The same head again is the same object, as where answers are alike.
  const step = fc.oneof({ weight: 8, arbitrary: fc.record({ nth: fc.nat(11), path }) }, { weight: 1, arbitrary: size })
  const heads = fc.array(head, { minLength: 12, maxLength: 12 })
  let numbers = 0
  fc.assert(
    fc.property(heads, fc.array(step, { maxLength: 120, size: 'max' }), (all, steps) => {
      const encoder = new HpackEncoder()
      const decoder = new HpackDecoder(MOST)
      for (const next of steps) {
        if (typeof next === 'number') encoder.allow(next)
        else {
          const said = all[next.nth]!
          const wanted = Object.entries(said).flatMap(([n, v]) => [v].flat().flatMap(one => [n, `${one}`]))
          const block = encoder.encode(said, next.path)
          if (block.length * 4 < wanted.join('').length) numbers++
          deepStrictEqual(read(decoder, block), next.path === undefined ? wanted : [':path', next.path, ...wanted])
        }
      }
    }),
    { numRuns: 150 },
  )
  t.ok(numbers > 100, 'and it is mostly numbers now and then')
})

test('every octet in Huffman coding, as node:http2 writes it', async t => {
  // Those that no client of node:http2 sends: their codes in appendix B.
  const codes =
    `1ff8 7fffd8 fffffe2 fffffe3 fffffe4 fffffe5 fffffe6 fffffe7 fffffe8 ffffea 3ffffffc fffffe9 fffffea 3ffffffd
    fffffeb fffffec fffffed fffffee fffffef ffffff0 ffffff1 ffffff2 3ffffffe ffffff3 ffffff4 ffffff5 ffffff6 ffffff7 ffffff8
    ffffff9 ffffffa ffffffb`.split(/\s+/)
  const controls = [...codes.map((code, octet) => [octet, code] as const), [127, 'ffffffc'] as const]
  for (const [octet, code] of controls)
    for (let before = 0; before < 8; before++) {
      const bits = `${'00101'.repeat(before)}${Number.parseInt(code, 16).toString(2)}00101`
      const octets = bits
        .padEnd(Math.ceil(bits.length / 8) * 8, '1')
        .match(/.{8}/g)!
        .map(b => Number.parseInt(b, 2))
      const wanted = `${'e'.repeat(before)}${String.fromCharCode(octet)}e`
      t.same(read(new HpackDecoder(MOST), Buffer.from([4, 0x80 | octets.length, ...octets])), [':path', wanted])
    }
  const chunks: Buffer[] = []
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', data => chunks.push(data))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const session = open(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const octets = Array.from({ length: 224 }, (_, i) => 32 + i).filter(octet => octet !== 127)
  t.equal(octets.length + controls.length, 256)
  const sent: string[][] = []
  while (octets.length > 0) {
    const head: Record<string, string> = {}
    for (const octet of octets.splice(0, 8))
      for (let before = 0; before < 8; before++)
        head[`x-${octet}-${before}`] = `${'e'.repeat(before)}${String.fromCharCode(octet)}${'e'.repeat(14)}`
    sent.push(Object.entries(head).flat())
    session.request({ ':path': '/', ...head }).on('error', () => {})
  }
  const blocks = (): Buffer[] => {
    const octets = Buffer.concat(chunks)
    const found: Buffer[] = []
    for (let at = PREFACE.length; at + 9 <= octets.length; at += 9 + octets.readUIntBE(at, 3)) {
      const end = at + 9 + octets.readUIntBE(at, 3)
      const skip = (octets[at + 4]! & 0x20) === 0 ? 0 : 5
      if (octets[at + 3] === 1 && end <= octets.length) found.push(octets.subarray(at + 9 + skip, end))
    }
    return found
  }
  await eventually(() => blocks().length === sent.length, 'all of it')
  const decoder = new HpackDecoder(MOST)
  for (const [i, block] of blocks().entries()) {
    t.notMatch(block.toString('latin1'), 'eeeeeeee', 'it is coded')
    t.same(read(decoder, block)?.slice(8), sent[i])
  }
})
