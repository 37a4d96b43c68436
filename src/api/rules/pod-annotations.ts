// Rules for what used to be said of a pod in annotations and still is by some.
import type { Causes } from './causes.ts'
import { checkRelativePath } from './security.ts'
import { isTree, type Tree, textAt, treeAt } from './tree.ts'

const SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_OF = 'container.seccomp.security.alpha.kubernetes.io/'
const APPARMOR_OF = 'container.apparmor.security.beta.kubernetes.io/'

type Containers = readonly (readonly [at: string, container: Tree])[]

function checkSeccomp(to: Causes, at: string, key: string, profile: string): void {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return
  if (profile.startsWith('localhost/')) checkRelativePath(to, `${at}.${key}`, profile.slice('localhost/'.length))
  else to.invalid(`${at}.${key}`, profile, 'must be a valid seccomp profile')
}

/** Checks the annotations at `at` that tell of the pod's profiles. */
export function checkPodAnnotations(to: Causes, at: string, annotations: Tree, spec: Tree, of: Containers): void {
  const mirror = annotations['kubernetes.io/config.mirror']
  if (mirror !== undefined && textAt(spec, 'nodeName') === '') {
    const why = 'must set spec.nodeName if mirror pod annotation is set'
    to.invalid(`${at}[kubernetes.io/config.mirror]`, mirror, why)
  }
  const own = annotations[SECCOMP]
  if (own !== undefined) checkSeccomp(to, at, SECCOMP, String(own))
  for (const [key, profile] of Object.entries(annotations))
    if (key.startsWith(SECCOMP_OF)) checkSeccomp(to, at, key, String(profile))
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(APPARMOR_OF)) continue
    const name = key.slice(APPARMOR_OF.length)
    const profile = String(value)
    if (!of.some(([, container]) => textAt(container, 'name') === name))
      to.invalid(`${at}[${key}]`, name, 'container not found')
    if (['', 'runtime/default', 'unconfined'].includes(profile) || profile.startsWith('localhost/')) continue
    to.invalid(`${at}[${key}]`, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`)
  }
}

type Names = Readonly<{ kind: string; type: string; prefixes: Readonly<Record<string, readonly string[]>> }>

const seccomp: Names = {
  kind: 'seccomp',
  type: 'seccompProfile',
  prefixes: { Unconfined: ['unconfined'], RuntimeDefault: ['runtime/default', 'docker/default'] },
}
const appArmor: Names = {
  kind: 'apparmor',
  type: 'appArmorProfile',
  prefixes: { Unconfined: ['unconfined'], RuntimeDefault: ['runtime/default'] },
}

function checkPair(to: Causes, at: string, annotation: unknown, profile: unknown, names: Names): void {
  if (typeof annotation !== 'string' || !isTree(profile)) return
  const type = textAt(profile, 'type')
  const differs = `${names.kind} type in annotation and field must match`
  if (type === 'Localhost') {
    if (!annotation.startsWith('localhost/')) to.forbidden(`${at}.${names.type}.type`, differs)
    else if (annotation.slice('localhost/'.length) !== profile['localhostProfile'])
      to.forbidden(`${at}.${names.type}.localhostProfile`, `${names.kind} profile in annotation and field must match`)
  } else if (names.prefixes[type]?.includes(annotation) === false) to.forbidden(`${at}.${names.type}.type`, differs)
}

/** Checks that annotations and fields say the same; `at` is the path of the pod's spec. */
export function checkBothWays(to: Causes, at: string, annotations: Tree, spec: Tree, of: Containers): void {
  const context = treeAt(spec, 'securityContext')
  checkPair(to, `${at}.securityContext`, annotations[SECCOMP], context['seccompProfile'], seccomp)
  for (const [here, container] of of) {
    const profile = treeAt(container, 'securityContext')['seccompProfile']
    checkPair(to, `${here}.securityContext`, annotations[SECCOMP_OF + textAt(container, 'name')], profile, seccomp)
  }
  if (textAt(treeAt(spec, 'os'), 'name') === 'windows') return
  for (const [here, container] of of) {
    const profile = treeAt(container, 'securityContext')['appArmorProfile'] ?? context['appArmorProfile']
    checkPair(to, `${here}.securityContext`, annotations[APPARMOR_OF + textAt(container, 'name')], profile, appArmor)
  }
}
