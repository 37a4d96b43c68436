// All rollouts: what waits for somebody comes first.
import { h } from './dom.js'
import { badge, podDots, splitBar } from './parts.js'
import { keyOf, needsSomebody, partsOf, short } from './read.js'

/** @typedef {import('./read.js').Info} Info */

const ORDER = ['Degraded', 'Paused', 'Progressing', 'Healthy']

/** @param {Info} info */
const rank = info => (ORDER.indexOf(info.status) + 5) % 5

/** @param {Info} info @param {string} text */
const matches = (info, text) => {
  const images = (info.containers ?? []).map(container => container.image)
  return [info.objectMeta.name, info.objectMeta.namespace, info.status, ...images]
    .join(' ')
    .toLowerCase()
    .includes(text)
}

/** @param {Info} info @param {import('./read.js').Traffic | undefined} traffic */
function card(info, traffic) {
  const { namespace, name } = info.objectMeta
  const parts = partsOf(info, traffic)
  const rate = parts.reduce((sum, part) => sum + (part.stats?.requestsPerSecond ?? 0), 0)
  const pods = (info.replicaSets ?? []).flatMap(set => set.pods ?? [])
  return h(
    'a',
    { key: keyOf(info), class: `card is-${info.status}`, href: `rollout/${namespace}/${name}` },
    h('div', { class: 'row' }, h('h2', null, name), badge(info.status, info.icon)),
    h(
      'p',
      { class: 'about' },
      `${namespace} · ${info.strategy ?? 'no strategy'}${info.step ? ` · step ${info.step}` : ''}`,
    ),
    splitBar(parts),
    h('div', { class: 'row' }, podDots(pods), traffic && h('span', { class: 'rate' }, `${short(rate)} req/s`)),
    h('p', { class: 'message' }, info.message ?? ''),
  )
}

/**
 * @param {{rollouts: Map<string, Info>, traffic: import('./read.js').Traffic | undefined, namespace: string,
 *   search: string, loaded: boolean}} state
 */
export function listView(state) {
  const text = state.search.trim().toLowerCase()
  const shown = [...state.rollouts.values()]
    .filter(info => state.namespace === '' || info.objectMeta.namespace === state.namespace)
    .filter(info => text === '' || matches(info, text))
    .sort((a, b) => rank(a) - rank(b) || (keyOf(a) < keyOf(b) ? -1 : 1))
  if (shown.length === 0) return [h('p', { key: 'empty', class: 'empty' }, emptyText(state))]
  const waiting = shown.filter(needsSomebody).length
  const moving = shown.filter(info => info.status === 'Progressing').length
  const counts = `${waiting} ${waiting === 1 ? 'needs' : 'need'} somebody · ${moving} moving · ${shown.length - waiting - moving} healthy`
  return [
    h('div', { key: 'head', class: 'row head' }, h('h1', null, 'Rollouts'), h('p', null, counts)),
    h(
      'div',
      { key: 'cards', class: 'cards' },
      shown.map(info => card(info, state.traffic)),
    ),
  ]
}

/** @param {{rollouts: Map<string, Info>, loaded: boolean}} state */
function emptyText({ rollouts, loaded }) {
  if (!loaded) return 'Loading …'
  return rollouts.size === 0
    ? 'There are no rollouts yet. Apply one: kubectl apply -f rollout.yaml'
    : 'No rollout matches.'
}
