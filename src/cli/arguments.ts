// Argument habits of kubectl that commander does not share: `--watch=false`, and words before the verb.

/** Flags that take a value, of those that may stand before the first word. */
const WITH_VALUE = new Set(['-n', '--namespace', '--context', '--kubeconfig', '-o', '--output'])
/** argo: what Go takes for a switch's value, and the controller's switches: only there may `=1` be meant so. */
const GO_BOOL = /^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/
const SWITCHES = new Set([
  '--namespaced',
  '--leader-elect',
  '--aws-verify-target-group',
  '--alb-verify-weight',
  '--self-service-notification-enabled',
  '--insecure-skip-tls-verify',
  '--disable-compression',
  '--version',
])

/** A switch of the controller with a value, as words that commander knows; undefined for anything else. */
function controllerSwitch(word: string): readonly string[] | undefined {
  const [flag = '', value = ''] = word.split('=', 2)
  if (!SWITCHES.has(flag) || !GO_BOOL.test(value)) return undefined
  if (/^[1t]/i.test(value)) return [flag]
  // All others are off unless they are given.
  return flag === '--leader-elect' ? ['--no-leader-elect'] : []
}

/** Flags that kubectl plugins are given and that mean nothing here: how much a client library logs. */
const LOGGING = /^(--kloglevel|--loglevel|-v)(=.*)?$/

/** Rewrites `--flag=true` and `--flag=false` to `--flag` and `--no-flag`, and drops log levels. Words after `--`
 * stay as they are. */
export function plainArguments(argv: readonly string[]): readonly string[] {
  const plain: string[] = []
  // The controller has a log of its own, whose level is meant.
  const isController = verbOf(argv) === 'controller'
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    if (word === '--') return [...plain, ...argv.slice(i)]
    const logging = isController ? null : LOGGING.exec(word)
    if (logging) {
      if (logging[2] === undefined) i += 1
      continue
    }
    const switched = isController ? controllerSwitch(word) : undefined
    if (switched) {
      plain.push(...switched)
      continue
    }
    const [, flag, value] = /^--([a-z][a-z-]*)=(true|false)$/.exec(word) ?? []
    plain.push(flag === undefined ? word : value === 'true' ? `--${flag}` : `--no-${flag}`)
  }
  return plain
}

/** The first word that is no flag: the verb. */
export function verbOf(argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    if (WITH_VALUE.has(word)) i += 1
    else if (!word.startsWith('-')) return word
  }
  return undefined
}
