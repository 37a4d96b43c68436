// Rules for probes and lifecycle handlers.
import type { Causes } from './causes.ts'
import { headerNameFaults, portNameFaults } from './names.ts'
import { isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'

function checkPort(to: Causes, field: string, port: unknown): void {
  if (typeof port === 'string') to.faults(field, port, portNameFaults(port))
  else to.between(field, port ?? 0, 1, 65_535)
}

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const

function checkHttp(to: Causes, at: string, action: Tree): void {
  if (textAt(action, 'path') === '') to.required(`${at}.path`)
  checkPort(to, `${at}.port`, action['port'])
  to.oneOf(`${at}.scheme`, action['scheme'], ['HTTP', 'HTTPS'])
  for (const header of treesAt(action, 'httpHeaders'))
    to.faults(`${at}.httpHeaders`, textAt(header, 'name'), headerNameFaults(textAt(header, 'name')))
}

function checkSleep(to: Causes, at: string, action: Tree, grace: unknown): void {
  const seconds = (action['seconds'] ?? 0) as number | bigint
  const most = grace as number | bigint | undefined
  if (most === undefined) return
  if (to.dialect === '1.34') {
    const hint = 'Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.'
    const range = `must be greater than 0 and less than terminationGracePeriodSeconds (${most})`
    if (seconds <= 0 || seconds > most) to.invalid(at, seconds, `${range}. ${hint}`)
  } else if (seconds < 0 || seconds > most)
    to.invalid(at, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${most})`)
}

type Handler = (typeof handlers)[number]

function checkHandler(to: Causes, at: string, handler: Tree, names: readonly Handler[], grace: unknown): void {
  const given = names.filter(name => isTree(handler[name]))
  for (const [i, name] of given.entries()) {
    const action = treeAt(handler, name)
    if (i > 0) to.forbidden(`${at}.${name}`, 'may not specify more than 1 handler type')
    else if (name === 'exec') {
      if (!Array.isArray(action['command']) || action['command'].length === 0) to.required(`${at}.exec.command`)
    } else if (name === 'httpGet') checkHttp(to, `${at}.httpGet`, action)
    else if (name === 'sleep') checkSleep(to, `${at}.sleep`, action, grace)
    else checkPort(to, `${at}.${name}.port`, action['port'])
  }
  if (given.length === 0) to.required(at, 'must specify a handler type')
}

const numbers = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']
const probeHandlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const

// biome-ignore format: a list of words
const signals = [
  'SIGABRT', 'SIGALRM', 'SIGBUS', 'SIGCHLD', 'SIGCLD', 'SIGCONT', 'SIGFPE', 'SIGHUP', 'SIGILL', 'SIGINT', 'SIGIO', 'SIGIOT',
  'SIGKILL', 'SIGPIPE', 'SIGPOLL', 'SIGPROF', 'SIGPWR', 'SIGQUIT', 'SIGRTMAX',
  ...['1', '10', '11', '12', '13', '14', '2', '3', '4', '5', '6', '7', '8', '9'].map(n => `SIGRTMAX-${n}`), 'SIGRTMIN',
  ...['1', '10', '11', '12', '13', '14', '15', '2', '3', '4', '5', '6', '7', '8', '9'].map(n => `SIGRTMIN+${n}`),
  'SIGSEGV', 'SIGSTKFLT', 'SIGSTOP', 'SIGSYS', 'SIGTERM', 'SIGTRAP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGUSR1',
  'SIGUSR2', 'SIGVTALRM', 'SIGWINCH', 'SIGXCPU', 'SIGXFSZ',
]

function checkSignal(to: Causes, at: string, signal: unknown, os: unknown): void {
  // Newer releases drop the field before they look, as it is not switched on.
  if (signal === undefined || to.dialect !== '1.34') return
  if (!isTree(os)) to.forbidden(at, 'may not be set for containers with empty `spec.os.name`')
  else if (os['name'] === 'windows') to.oneOf(at, signal, ['SIGKILL', 'SIGTERM'])
  else if (os['name'] === 'linux') to.oneOf(at, signal, signals)
}

/** Checks the probes and lifecycle handlers of a container. */
export function checkProbes(to: Causes, at: string, container: Tree, spec: Tree): void {
  const grace = spec['terminationGracePeriodSeconds']
  const lifecycle = treeAt(container, 'lifecycle')
  for (const moment of ['postStart', 'preStop']) {
    const handler = lifecycle[moment]
    if (isTree(handler))
      checkHandler(to, `${at}.lifecycle.${moment}`, handler, ['exec', 'httpGet', 'tcpSocket', 'sleep'], grace)
  }
  checkSignal(to, `${at}.lifecycle.stopSignal`, lifecycle['stopSignal'], spec['os'])
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name]
    if (!isTree(probe)) continue
    const here = `${at}.${name}`
    checkHandler(to, here, probe, probeHandlers, grace)
    for (const number of numbers) to.notNegative(`${here}.${number}`, probe[number])
    const own = probe['terminationGracePeriodSeconds'] as number | bigint | undefined
    const field = `${here}.terminationGracePeriodSeconds`
    if (own !== undefined && own <= 0) to.invalid(field, own, 'must be greater than 0')
    if (name === 'readinessProbe') {
      if (own !== undefined) to.invalid(field, own, 'must not be set for readinessProbes')
    } else if (probe['successThreshold'] !== 1)
      to.invalid(`${here}.successThreshold`, probe['successThreshold'], 'must be 1')
  }
}
