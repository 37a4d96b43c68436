// What names, label keys and label values may look like, each rule answering the sentences of the real server.
// source: the rules of RFC 1123 and RFC 1035 names as the Kubernetes API states them in its messages.

import type { Dialect } from './causes.ts'

const alnum = '[A-Za-z0-9]'
const keyFormat = `(${alnum}[-A-Za-z0-9_.]*)?${alnum}`
const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain1123 = `${label1123}(\\.${label1123})*`
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'

const whole = (format: string): RegExp => new RegExp(`^${format}$`)
const keyPattern = whole(keyFormat)
const valuePattern = whole(`(${keyFormat})?`)
const labelPattern = whole(label1123)
const subdomainPattern = whole(subdomain1123)
const label1035Pattern = whole(label1035)

export const bytes = (text: string): number => {
  let size = 0
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    size += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return size
}

/** The end of a sentence that explains a regular expression, with examples. */
export const byPattern = (sentence: string, format: string, ...examples: string[]): string =>
  `${sentence} (e.g. ${examples.map(e => `'${e}'`).join(',  or ')}, regex used for validation is '${format}')`

const tooLong = (limit: number): string => `must be no more than ${limit} bytes`

const keySentence =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

/** What is wrong with a name of at most 63 characters such as a Namespace's; empty: nothing. */
export function dnsLabelFaults(name: string): string[] {
  const faults = bytes(name) > 63 ? [tooLong(63)] : []
  if (labelPattern.test(name)) return faults
  if (subdomainPattern.test(name)) return [...faults, 'must not contain dots']
  const sentence =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
  return [...faults, byPattern(sentence, label1123, 'my-name', '123-abc')]
}

/** What is wrong with a name of at most 253 characters, dots allowed; empty: nothing. */
export function dnsSubdomainFaults(name: string): string[] {
  const faults = bytes(name) > 253 ? [tooLong(253)] : []
  if (subdomainPattern.test(name)) return faults
  const sentence =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
  return [...faults, byPattern(sentence, subdomain1123, 'example.com')]
}

/** What is wrong with a domain that names are looked for in, underscores allowed; empty: nothing. */
export function searchDomainFaults(name: string): string[] {
  const faults = bytes(name) > 253 ? [tooLong(253)] : []
  const label = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
  const format = `${label}(\\.${label})*`
  if (whole(format).test(name)) return faults
  const sentence =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character"
  return [...faults, byPattern(sentence, format, 'example.com')]
}

/** What is wrong with a Service's name, which must begin with a letter; empty: nothing. */
export function dns1035Faults(name: string): string[] {
  const faults = bytes(name) > 63 ? [tooLong(63)] : []
  if (label1035Pattern.test(name)) return faults
  const sentence =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
  return [...faults, byPattern(sentence, label1035, 'my-name', 'abc-123')]
}

/** What is wrong with a name that only has to fit into a path, as those of roles; empty: nothing. */
export function pathSegmentFaults(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return ['/', '%'].filter(char => name.includes(char)).map(char => `may not contain '${char}'`)
}

/** What is wrong with the key of a label, annotation, finalizer or condition; empty: nothing. */
export function labelKeyFaults(key: string, dialect: Dialect = '1.37'): string[] {
  const parts = key.split('/')
  const pattern = byPattern(keySentence, keyFormat, 'MyName', 'my.name', '123-abc')
  if (parts.length > 2)
    return [
      `a ${dialect === '1.34' ? 'qualified name' : 'valid label key'} ${pattern} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  const faults: string[] = []
  const name = parts.at(-1) ?? ''
  if (parts.length === 2) {
    if (parts[0] === '') faults.push('prefix part must be non-empty')
    else for (const fault of dnsSubdomainFaults(parts[0] ?? '')) faults.push(`prefix part ${fault}`)
  }
  if (name === '') faults.push('name part must be non-empty')
  else if (bytes(name) > 63) faults.push(`name part ${tooLong(63)}`)
  if (!keyPattern.test(name)) faults.push(`name part ${pattern}`)
  return faults
}

/** What is wrong with the value of a label; empty: nothing. */
export function labelValueFaults(value: string): string[] {
  const faults = bytes(value) > 63 ? [tooLong(63)] : []
  if (valuePattern.test(value)) return faults
  const sentence =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
  return [...faults, byPattern(sentence, `(${keyFormat})?`, 'MyValue', 'my_value', '12345')]
}

const dotted = (name: string): string[] => {
  if (name === '.' || name === '..') return [`must not be '${name}'`]
  return name.startsWith('..') ? ["must not start with '..'"] : []
}

/** What is wrong with a key of a ConfigMap or Secret; empty: nothing. */
export function configKeyFaults(key: string): string[] {
  const faults = bytes(key) > 253 ? [tooLong(253)] : []
  const sentence = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
  const format = '[-._a-zA-Z0-9]+'
  if (!whole(format).test(key)) faults.push(byPattern(sentence, format, 'key.name', 'KEY_NAME', 'key-name'))
  return [...faults, ...dotted(key)]
}

/** What is wrong with the name of an HTTP header; empty: nothing. */
export function headerNameFaults(name: string): string[] {
  const format = '[-A-Za-z0-9]+'
  const sentence = "a valid HTTP header must consist of alphanumeric characters or '-'"
  return whole(format).test(name) ? [] : [byPattern(sentence, format, 'X-Header-Name')]
}

/** What is wrong with the name of an environment variable, or with the start of one; empty: nothing. */
export function variableNameFaults(name: string, dialect: Dialect): string[] {
  if (dialect !== '1.34') {
    const sentence = "a valid environment variable name must consist only of printable ASCII characters other than '='"
    return /^[ -<>-~]*$/.test(name) ? [] : [sentence]
  }
  const sentence =
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit"
  const format = '[-._a-zA-Z][-._a-zA-Z0-9]*'
  const faults = whole(format).test(name)
    ? []
    : [byPattern(sentence, format, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1')]
  return [...faults, ...dotted(name)]
}

/** What is wrong with the name of a container port; empty: nothing. */
export function portNameFaults(name: string): string[] {
  const faults: string[] = []
  if (bytes(name) > 15) faults.push(tooLong(15))
  if (!/^[-a-z0-9]+$/.test(name)) faults.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) faults.push('must contain at least one letter (a-z)')
  if (name.includes('--')) faults.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) faults.push('must not begin or end with a hyphen')
  return faults
}
