// Rules for probes and lifecycle handlers.
import type { Causes } from './causes.ts'
import { portNameFaults } from './names.ts'
import { isTree, type Tree, textAt, treeAt } from './tree.ts'

function checkPort(to: Causes, field: string, port: unknown): void {
  if (typeof port === 'string') to.faults(field, port, portNameFaults(port))
  else to.between(field, port, 1, 65_535)
}

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const

function checkHandler(to: Causes, at: string, handler: Tree, names: readonly (typeof handlers)[number][]): void {
  const given = names.filter(name => isTree(handler[name]))
  if (given.length === 0) to.required(at, 'must specify a handler type')
  for (const [i, name] of given.entries()) {
    const action = treeAt(handler, name)
    if (i > 0) to.forbidden(`${at}.${name}`, 'may not specify more than 1 handler type')
    else if (name === 'exec') {
      if (!Array.isArray(action['command']) || action['command'].length === 0) to.required(`${at}.exec.command`)
    } else if (name === 'httpGet') {
      if (textAt(action, 'path') === '') to.required(`${at}.httpGet.path`)
      checkPort(to, `${at}.httpGet.port`, action['port'])
      to.oneOf(`${at}.httpGet.scheme`, action['scheme'], ['HTTP', 'HTTPS'])
    } else if (name !== 'sleep') checkPort(to, `${at}.${name}.port`, action['port'])
  }
}

const numbers = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']
const probeHandlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const

/** Checks the probes and lifecycle handlers of a container. */
export function checkProbes(to: Causes, at: string, container: Tree): void {
  const lifecycle = treeAt(container, 'lifecycle')
  for (const moment of ['postStart', 'preStop']) {
    const handler = lifecycle[moment]
    if (isTree(handler))
      checkHandler(to, `${at}.lifecycle.${moment}`, handler, ['exec', 'httpGet', 'tcpSocket', 'sleep'])
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name]
    if (!isTree(probe)) continue
    checkHandler(to, `${at}.${name}`, probe, probeHandlers)
    for (const number of numbers) to.notNegative(`${at}.${name}.${number}`, probe[number])
    const isOnce = name !== 'readinessProbe' && probe['successThreshold'] !== 1
    if (isOnce) to.invalid(`${at}.${name}.successThreshold`, probe['successThreshold'], 'must be 1')
  }
}
