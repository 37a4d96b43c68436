// Where the embedded server does not say what the real one says, and why that is so. Statuses and reasons must agree.

type Differences = Readonly<Record<string, Readonly<Record<string, string>>>>

const patched = 'the message quotes the whole object as a Go program writes it, with its managedFields'
const formats = 'the message lists the formats that this server takes: no YAML, no protobuf, no apply'
const goJson = "the message carries the words of Go's JSON reader"

/** Scenario -> step -> why the words differ. */
export const differences: Differences = {
  'what a create refuses': {
    'a custom object of another version': 'the real server warns of fields of a version that it does not know',
    'a body that is no JSON': goJson,
  },
  'paths that lead nowhere and methods that nobody has': { 'an Accept that cannot be met': formats },
  'patches of a ConfigMap': {
    'an unknown patch type is refused': formats,
    'a patch to another kind is refused': patched,
    'a wrong type is refused': patched,
  },
  'patches of a custom object': { 'a strategic patch is refused': formats },
  pages: { 'a token that is none': goJson },
  'tables and metadata alone': { 'an unknown form': formats },
  finalizers: { 'no new finalizers': 'the real server checks metadata of custom objects twice and says it twice' },
  'field validation': {
    'a strict patch refuses': patched,
    'a strict patch of a built-in kind refuses': patched,
  },
  'definitions that are refused': { 'two storage versions': 'the message prints the versions as a Go program does' },
  'preconditions of a delete': { 'another version is refused': 'the message quotes a version, which is a number here' },
}
