// What HPACK names by numbers: the static table (RFC 7541 appendix A) and the dynamic one behind it, newest first (2.3).

const STATIC = `:authority
:method=GET
:method=POST
:path=/
:path=/index.html
:scheme=http
:scheme=https
:status=200
:status=204
:status=206
:status=304
:status=400
:status=404
:status=500
accept-charset
accept-encoding=gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`
  .split('\n')
  .map(line => line.split('=', 2) as [name: string, value?: string])

/** By number; there is no 0. */
export const STATIC_NAMES: readonly string[] = ['', ...STATIC.map(([name]) => name)]
export const STATIC_VALUES: readonly string[] = ['', ...STATIC.map(([, value]) => value ?? '')]

/** Octets that the dynamic table may take, unless a peer says otherwise (RFC 9113 6.5.2), */
export const TABLE_SIZE = 4096
/** and what an entry takes beside its name and value (RFC 7541 4.1). */
export const ENTRY_SIZE = 32

/** The first number of the dynamic table. */
export const DYNAMIC = STATIC_NAMES.length

/** Names and values in the order in which they came, those that were thrown out in front of `first`. */
export class DynamicTable {
  readonly names: string[] = []
  readonly values: string[] = []
  first = 0
  /** Entries ever thrown away for good: with it, places in the arrays can be told apart for ever. */
  private dropped = 0
  private size = 0
  private most = TABLE_SIZE
  /** Goes up whenever a number comes to mean something else. */
  changes = 0

  /** Entries that were ever added. */
  get added(): number {
    return this.dropped + this.names.length
  }

  /** How many there are. */
  get length(): number {
    return this.names.length - this.first
  }

  /** The place of the entry that was added as number `nth`, counted from 0 over all time; -1: it was thrown out. */
  numberOf(nth: number): number {
    return nth < this.dropped + this.first ? -1 : DYNAMIC + this.added - 1 - nth
  }

  /** Can an entry of so many octets be in it? */
  takes(octets: number): boolean {
    return octets + ENTRY_SIZE <= this.most
  }

  /** Throws out what is beyond a new size. */
  resize(most: number): void {
    this.most = most
    this.changes++
    this.shrinkTo(most)
  }

  /** Adds an entry; one that is larger than the table empties it (RFC 7541 4.4). */
  add(name: string, value: string): void {
    const size = name.length + value.length + ENTRY_SIZE
    this.changes++
    this.shrinkTo(this.most - size)
    if (size > this.most) return
    this.names.push(name)
    this.values.push(value)
    this.size += size
  }

  private shrinkTo(size: number): void {
    while (this.size > size && this.first < this.names.length) {
      this.size -= this.names[this.first]!.length + this.values[this.first]!.length + ENTRY_SIZE
      this.first++
    }
    if (this.first < 64) return
    this.names.splice(0, this.first)
    this.values.splice(0, this.first)
    this.dropped += this.first
    this.first = 0
  }
}
