// The page: one stream from the server feeds one state, which is drawn once a frame at most.
import { detailView } from './detail.js'
import { h, patch } from './dom.js'
import { listView } from './list.js'
import { keyOf } from './read.js'

/** @typedef {import('./read.js').Info} Info */
/** @typedef {import('./read.js').Traffic} Traffic */

const API = 'api/v1/'
/** Samples that the lines show: one a second. */
const MINUTE = 60

const state = {
  /** @type {Map<string, Info>} */
  rollouts: new Map(),
  /** @type {Info | undefined} */
  detail: undefined,
  /** @type {Traffic | undefined} */
  traffic: undefined,
  /** @type {Traffic[]} */
  history: [],
  namespace: '',
  search: '',
  loaded: false,
  gone: '',
  readOnly: false,
}

/** @param {string} id */
const at = id => /** @type {HTMLElement} */ (document.getElementById(id))

/** The rollout that the address names, undefined for the list. */
function place() {
  const base = new URL(document.baseURI).pathname
  const [kind, namespace, name] = location.pathname.slice(base.length).split('/').map(decodeURIComponent)
  return kind === 'rollout' && namespace && name ? { namespace, name } : undefined
}

let drawing = false
/** Draws with the next frame. */
function draw() {
  if (drawing) return
  drawing = true
  requestAnimationFrame(() => {
    drawing = false
    patch(at('main'), picture())
  })
}

function picture() {
  const here = place()
  document.title = here ? `${here.name} – Pintle` : 'Pintle'
  if (!here) return listView(state)
  if (state.gone)
    return [h('nav', null, h('a', { href: './' }, '← all rollouts')), h('p', { class: 'empty' }, state.gone)]
  if (!state.detail) return [h('p', { class: 'empty' }, 'Loading …')]
  return detailView(state.detail, state.traffic, state.history, press, state.readOnly)
}

/** @type {EventSource | undefined} */
let source

/** @param {string} text @param {string} tone */
function linkIs(text, tone) {
  at('link').textContent = text
  at('link').className = `link ${tone}`
}

/** Follows what the address shows. */
function follow() {
  source?.close()
  const here = place()
  state.gone = ''
  state.detail = here && state.rollouts.get(`${here.namespace}/${here.name}`)
  const path = here
    ? `${encodeURIComponent(here.namespace)}/${encodeURIComponent(here.name)}/info/watch`
    : '*/info/watch'
  const opened = new EventSource(`${API}rollouts/${path}`)
  source = opened
  /** Seen since the stream opened: what is not was deleted while we were away. @type {Set<string>} */
  let seen = new Set()
  opened.onopen = () => {
    seen = new Set()
    linkIs('● live', 'ok')
  }
  opened.onerror = () => {
    if (opened.readyState !== EventSource.CLOSED) return linkIs('reconnecting …', 'warn')
    // The server has refused: the rollout is gone, or the server is another one now.
    if (here) void missing(here, opened)
    else retry(opened)
  }
  opened.onmessage = event => {
    const { result } = JSON.parse(event.data)
    if (here) take(result)
    else if (result.type === 'Deleted') state.rollouts.delete(keyOf(result.rolloutInfo))
    else {
      seen.add(keyOf(result.rolloutInfo))
      state.rollouts.set(keyOf(result.rolloutInfo), result.rolloutInfo)
    }
    draw()
  }
  opened.addEventListener('ready', () => {
    for (const key of state.rollouts.keys()) if (!seen.has(key)) state.rollouts.delete(key)
    state.loaded = true
    names()
    draw()
  })
  opened.addEventListener('deleted', () => {
    state.gone = `${here?.name} has been deleted.`
    draw()
  })
  opened.addEventListener('traffic', event => {
    state.traffic = JSON.parse(event.data)
    state.history = [...state.history, /** @type {Traffic} */ (state.traffic)].slice(-MINUTE)
    draw()
  })
  draw()
}

/** @param {EventSource} from */
function retry(from) {
  linkIs('no connection', 'bad')
  setTimeout(() => source === from && follow(), 2000)
}

/** @param {{namespace: string, name: string}} here @param {EventSource} from */
async function missing(here, from) {
  const reply = await fetch(`${API}rollouts/${here.namespace}/${here.name}/info`).catch(() => undefined)
  if (source !== from) return
  if (reply?.status !== 404) return retry(from)
  state.gone = `There is no rollout ${here.name} in ${here.namespace}.`
  draw()
}

/** @param {Info} info */
function take(info) {
  const before = state.detail?.status
  state.detail = info
  state.rollouts.set(keyOf(info), info)
  if (before && before !== info.status)
    at('said').textContent = `${info.objectMeta.name} is ${info.status} ${info.message ?? ''}`
}

/** Offers the namespaces that there are. */
function names() {
  const found = [...new Set([...state.rollouts.values()].map(info => info.objectMeta.namespace))].sort()
  const option = (value, text) => h('option', { key: value, value, selected: value === state.namespace }, text)
  patch(at('namespace'), [option('', 'all'), ...found.map(name => option(name, name))])
}

/** What each button does, in words and as a command. @type {Record<string, (name: string, revision?: number) => [string, string, string]>} */
const EFFECT = {
  promote: name => ['Promote', 'The pause ends and the update goes on with its next step.', `promote ${name}`],
  full: name => [
    'Promote fully',
    'Steps, pauses and analysis that are left are skipped: the new version gets everything now.',
    `promote ${name} --full`,
  ],
  abort: name => [
    'Abort',
    'All traffic goes back to the stable version and the new one is scaled down.',
    `abort ${name}`,
  ],
  retry: name => ['Retry', 'The aborted update starts again from its first step.', `retry rollout ${name}`],
  restart: name => ['Restart', 'All pods are replaced, a few at a time.', `restart ${name}`],
  undo: (name, revision) => [
    `Roll back to revision ${revision}`,
    'Its pod template becomes the wanted one; the rollout’s steps apply.',
    `undo ${name} --to-revision ${revision}`,
  ],
}

/** Asks, then does it. @param {string} verb @param {number} [revision] */
async function press(verb, revision) {
  const { namespace, name } = place() ?? { namespace: '', name: '' }
  const [title, text, command] = EFFECT[verb](name, revision)
  if (!(await confirmed(`${title}: ${name}`, text, `pintle -n ${namespace} ${command}`, title))) return
  const path = verb === 'undo' ? `undo/${revision}` : verb === 'full' ? 'promote' : verb
  const url = `${API}rollouts/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/${path}`
  try {
    const body = JSON.stringify(verb === 'full' ? { full: true } : {})
    const reply = await fetch(url, { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
    if (!reply.ok) throw new Error((await reply.json()).message)
    toast(`${title}: done`, 'ok')
  } catch (error) {
    toast(`${title} failed: ${error instanceof Error ? error.message : error}`, 'bad')
  }
}

/** @param {string} title @param {string} text @param {string} command @param {string} yes */
function confirmed(title, text, command, yes) {
  const dialog = /** @type {HTMLDialogElement} */ (at('ask'))
  at('ask-title').textContent = title
  at('ask-text').textContent = text
  at('ask-line').textContent = command
  at('ask-yes').textContent = yes
  dialog.showModal()
  at('ask-yes').focus()
  // Not the dialog's close event: it comes late, when another question may already have been asked.
  const ended = new AbortController()
  return new Promise(resolve => {
    const end = isYes => {
      ended.abort()
      resolve(isYes)
    }
    dialog.addEventListener('submit', event => end(event.submitter?.id === 'ask-yes'), { signal: ended.signal })
    dialog.addEventListener('cancel', () => end(false), { signal: ended.signal })
  })
}

/** @param {string} text @param {string} tone */
function toast(text, tone) {
  const made = document.createElement('p')
  made.className = `toast ${tone}`
  made.textContent = text
  at('toasts').append(made)
  setTimeout(() => made.remove(), tone === 'bad' ? 12_000 : 4000)
}

/** @param {string} [theme] */
function dress(theme) {
  if (theme) document.documentElement.dataset.theme = theme
}

document.addEventListener('click', event => {
  const target = /** @type {Element} */ (event.target)
  const link = target.closest?.('a')
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey
  if (!link || !isPlain || !link.href.startsWith(document.baseURI) || link.classList.contains('skip')) return
  event.preventDefault()
  history.pushState(null, '', link.href)
  follow()
  at('main').focus()
})
addEventListener('popstate', follow)
document.addEventListener('keydown', event => {
  const isTyping = ['INPUT', 'SELECT'].includes(/** @type {Element} */ (event.target).nodeName)
  if (event.key !== '/' || isTyping) return
  event.preventDefault()
  at('search').focus()
})
at('search').addEventListener('input', event => {
  state.search = /** @type {HTMLInputElement} */ (event.target).value
  draw()
})
at('namespace').addEventListener('change', event => {
  state.namespace = /** @type {HTMLSelectElement} */ (event.target).value
  draw()
})
at('theme').addEventListener('click', () => {
  const isDark = getComputedStyle(document.documentElement).colorScheme === 'dark'
  dress(isDark ? 'light' : 'dark')
  localStorage.setItem('theme', isDark ? 'light' : 'dark')
})
dress(localStorage.getItem('theme') ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'))
const version = await fetch(`${API}version`).then(
  reply => reply.json(),
  () => ({}),
)
state.readOnly = version.readOnly === true
follow()
