// One rollout: its traffic, versions, steps, revisions and runs, and what can be done.
import { h } from './dom.js'
import { badge, line, podDots, splitBar } from './parts.js'
import { hashOf, isCanary, mayPress, ms, partsOf, percent, roleOf, rolesOf, short, stepOf, stepText } from './read.js'

/** @typedef {import('./read.js').Info} Info */
/** @typedef {import('./read.js').Traffic} Traffic */
/** @typedef {(verb: string, revision?: number) => void} Press */

const BUTTONS = [
  ['promote', 'Promote', 'main'],
  ['full', 'Promote fully', ''],
  ['abort', 'Abort', 'danger'],
  ['retry', 'Retry', 'main'],
  ['restart', 'Restart', ''],
]

/** @param {Info} info @param {Press} press @param {boolean} readOnly */
function actions(info, press, readOnly) {
  const may = mayPress(info)
  return h(
    'div',
    { class: 'actions', role: 'group', 'aria-label': 'Actions' },
    BUTTONS.filter(([verb]) => (info.status === 'Degraded' ? verb !== 'promote' : verb !== 'retry')).map(
      ([verb, text, tone]) =>
        h(
          'button',
          { key: verb, type: 'button', class: tone, disabled: readOnly || !may[verb], onclick: pressing(press, verb) },
          text,
        ),
    ),
  )
}

/** One listener per verb, so that nothing is rebound on every picture. @type {Map<string, () => void>} */
const listeners = new Map()

/** @param {Press} press @param {string} verb @param {number} [revision] */
function pressing(press, verb, revision) {
  const key = `${verb} ${revision ?? ''}`
  const known = listeners.get(key) ?? (() => press(verb, revision))
  listeners.set(key, known)
  return known
}

/** @param {import('./read.js').Part} part @param {Traffic[]} history */
function tile(part, history) {
  const { set, stats, role } = part
  const samples = history.map(({ byHash }) => (set ? byHash[hashOf(set)] : undefined))
  const rates = samples.map(one => one?.requestsPerSecond ?? null)
  const errors = samples.map(one => (one ? (one.errorRate ?? 0) * 100 : null))
  const image = set?.images?.[0] ?? '–'
  const wrong = (stats?.errorRate ?? 0) * 100
  return h(
    'section',
    { key: role, class: `tile ${role}` },
    h('h3', null, h('b', null, role), ` revision ${set?.revision ?? '–'}`),
    h('p', { class: 'image', title: image }, image),
    stats
      ? h(
          'dl',
          null,
          h('div', null, h('dt', null, 'requests'), h('dd', null, `${short(stats.requestsPerSecond)}/s`)),
          h(
            'div',
            { class: wrong > 0 ? 'wrong' : '' },
            h('dt', null, 'errors'),
            h('dd', null, stats.errorRate === null ? '–' : `${percent(wrong)} %`),
          ),
          h('div', null, h('dt', null, 'p50'), h('dd', null, ms(stats.p50))),
          h('div', null, h('dt', null, 'p99'), h('dd', null, ms(stats.p99))),
        )
      : h('p', { class: 'about' }, history.length > 0 ? 'no requests yet' : 'no traffic source'),
    stats &&
      h(
        'div',
        { class: 'lines' },
        line(rates, Math.max(1, ...rates.map(Number)), 'rate', `requests per second of ${role} over the last minute`),
        line(
          errors,
          Math.max(5, ...errors.map(Number)),
          errors.some(Boolean) ? 'errors' : 'calm',
          `errors of ${role} in percent over the last minute`,
        ),
      ),
    h(
      'p',
      { class: 'about' },
      `${(set?.pods ?? []).filter(pod => pod.icon === '✔').length} of ${set?.pods?.length ?? 0} pods ready`,
    ),
  )
}

/** @param {Info} info */
function stepRail(info) {
  const { at, of } = stepOf(info)
  if (of === 0) return undefined
  const isAborted = info.status === 'Degraded'
  return h(
    'section',
    { key: 'steps' },
    h('h2', null, `Steps ${info.step}`),
    h(
      'ol',
      { class: 'steps' },
      (info.steps ?? []).map((step, i) => {
        const state = isAborted ? 'todo' : i < at ? 'done' : i === at ? 'now' : 'todo'
        const sign = { done: '✔', now: info.status === 'Paused' ? '‖' : '◌', todo: '·' }[state]
        const props = { key: String(i), class: state, ...(state === 'now' ? { 'aria-current': 'step' } : {}) }
        return h(
          'li',
          props,
          h('i', { 'aria-hidden': 'true' }, sign),
          stepText(step),
          h('span', { class: 'hidden' }, ` ${state}`),
        )
      }),
    ),
  )
}

/** @param {Info} run */
function runRow(run) {
  const taken = [...(run.jobs ?? []), ...(run.nonJobInfo ?? [])]
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
    .slice(-40)
  return h(
    'li',
    { key: run.objectMeta.uid, class: 'run' },
    badge(run.status ?? 'Pending', run.icon),
    h('span', { class: 'name' }, run.objectMeta.name),
    h(
      'ul',
      { class: 'pods', 'aria-label': `${taken.length} measurements` },
      taken.map(one => {
        const text = `${one.metricName ?? ''}: ${one.status ?? ''} ${one.value ?? ''}`
        const tone = one.status === 'Successful' ? 'ok' : one.status === 'Running' ? 'busy' : 'bad'
        return h(
          'li',
          { key: `${one.metricName}${one.startedAt}`, class: tone, title: text },
          h('span', { class: 'hidden' }, text),
        )
      }),
    ),
    run.message && h('p', { class: 'message' }, run.message),
  )
}

/** @param {Info} info @param {Press} press @param {boolean} readOnly */
function revisions(info, press, readOnly) {
  const sets = info.replicaSets ?? []
  const newest = Math.max(0, ...sets.map(set => set.revision ?? 0))
  return h(
    'section',
    { key: 'revisions' },
    h('h2', null, 'Revisions'),
    h(
      'ul',
      { class: 'revisions' },
      sets.map(set =>
        h(
          'li',
          { key: set.objectMeta.uid, class: roleOf(set) },
          h('b', null, `${set.revision ?? 0}`),
          h('span', { class: 'image' }, (set.images ?? []).join(', ')),
          h(
            'span',
            { class: 'tags' },
            rolesOf(set).map(role => h('em', { key: role, class: role }, role)),
          ),
          badge(set.status, set.icon),
          podDots(set.pods ?? []),
          set.revision && set.revision !== newest
            ? h(
                'button',
                { type: 'button', disabled: readOnly, onclick: pressing(press, 'undo', set.revision) },
                'Roll back to this',
              )
            : h('span', null, 'current'),
        ),
      ),
    ),
  )
}

/**
 * @param {Info} info @param {Traffic | undefined} traffic @param {Traffic[]} history @param {Press} press
 * @param {boolean} readOnly
 */
export function detailView(info, traffic, history, press, readOnly) {
  const { namespace, name } = info.objectMeta
  const parts = partsOf(info, traffic)
  const runs = [...(info.analysisRuns ?? []), ...(info.experiments ?? []).flatMap(one => one.analysisRuns ?? [])]
  const wanted = isCanary(info) && parts[1] ? `asked for ${parts[1].want} %, recorded ${info.actualWeight ?? 0} %` : ''
  return [
    h('nav', { key: 'nav' }, h('a', { href: './' }, '← all rollouts')),
    h(
      'div',
      { key: 'head', class: 'row head' },
      h('h1', null, h('small', null, `${namespace} / `), name),
      badge(info.status, info.icon),
      actions(info, press, readOnly),
    ),
    h('p', { key: 'message', class: 'message' }, info.message ?? ''),
    splitBar(parts, true),
    h('p', { key: 'source', class: 'about' }, [sourceText(traffic), wanted].filter(Boolean).join(' · ')),
    h(
      'div',
      { key: 'tiles', class: 'tiles' },
      parts.map(part => tile(part, history)),
    ),
    stepRail(info),
    revisions(info, press, readOnly),
    runs.length > 0 &&
      h('section', { key: 'runs' }, h('h2', null, 'Analysis'), h('ul', { class: 'runs' }, runs.map(runRow))),
  ].filter(Boolean)
}

/** @param {Traffic | undefined} traffic */
const sourceText = traffic =>
  !traffic
    ? 'shares as recorded by the rollout'
    : traffic.stale
      ? 'the proxy does not answer'
      : 'shares as counted by the proxy over the last seconds'
