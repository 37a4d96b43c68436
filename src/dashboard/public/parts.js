// Small pictures that list and detail share: status, split bar, pods, lines over time.
import { h } from './dom.js'
import { percent } from './read.js'

/** @typedef {import('./read.js').Info} Info */
/** @typedef {import('./read.js').Part} Part */

/** Few fonts have the sign that terminals show for a pause. @param {string} sign */
export const signFor = sign => (sign === '॥' ? '‖' : sign)

/** @param {string} status @param {string} sign */
export const badge = (status, sign) =>
  h('span', { class: `badge is-${status}` }, h('i', { 'aria-hidden': 'true' }, signFor(sign)), status)

/** @param {Part[]} parts */
const splitText = parts => parts.map(part => `${percent(part.share)} percent ${part.role}`).join(', ')

/**
 * Who gets what share: a solid and a hatched side with their letters; the mark shows what is asked for.
 * @param {Part[]} parts @param {boolean} [tall]
 */
export function splitBar(parts, tall = false) {
  const last = parts[1]
  return h(
    'div',
    { class: tall ? 'split tall' : 'split', role: 'img', 'aria-label': splitText(parts) },
    parts.map(part =>
      h(
        'span',
        { key: part.role, class: `side ${part.role}`, vars: { '--share': part.share.toFixed(2) } },
        h(
          'b',
          { class: part.share < 9 ? 'narrow' : '' },
          tall ? `${part.role} ${percent(part.share)} %` : `${part.letter} ${percent(part.share)}`,
        ),
      ),
    ),
    last &&
      last.role === 'canary' &&
      last.want > 0 &&
      last.want < 100 &&
      h('span', { key: 'mark', class: 'mark', vars: { '--at': 100 - last.want }, title: `asked for: ${last.want} %` }),
  )
}

/** A pod a square; trouble is told in words too. @param {Info[]} pods */
export const podDots = pods =>
  h(
    'ul',
    { class: 'pods', 'aria-label': `${pods.length} pods` },
    pods.map(pod => {
      const restarts = pod.restarts ? `, ${pod.restarts} restarts` : ''
      const text = `${pod.objectMeta.name}: ${pod.status}, ready ${pod.ready}${restarts}`
      const tone = pod.icon === '✔' ? 'ok' : pod.icon === '◌' ? 'busy' : 'bad'
      return h('li', { key: pod.objectMeta.uid, class: tone, title: text }, h('span', { class: 'hidden' }, text))
    }),
  )

/**
 * A line over the last samples. @param {(number | null)[]} values @param {number} top highest value of the scale
 * @param {string} tone @param {string} label
 */
export function line(values, top, tone, label) {
  const last = Math.max(1, values.length - 1)
  const points = values
    .map((value, i) =>
      value === null ? undefined : `${((100 * i) / last).toFixed(1)},${(28 - (26 * value) / (top || 1)).toFixed(1)}`,
    )
    .filter(point => point !== undefined)
  return h(
    'svg',
    { class: `line ${tone}`, viewBox: '0 0 100 30', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    points.length > 1 && h('polyline', { points: points.join(' ') }),
  )
}
