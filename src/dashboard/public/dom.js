// A picture is described as a tree of plain objects; `patch` makes the page look like it and touches only what differs,
// so that focus, hover and running transitions stay.

/** @typedef {{tag: string, key?: string, props: Record<string, unknown>, children: (Node_ | string)[]}} Node_ */

/** What each element was last given, and its key. @type {WeakMap<Node, Record<string, unknown>>} */
const shown = new WeakMap()
/** @type {WeakMap<Node, string>} */
const keys = new WeakMap()

const SVG = new Set(['svg', 'polyline', 'path', 'line', 'title'])

/**
 * Describes an element. Properties: `class`, attributes, `on…` listeners, and `vars` for CSS variables.
 * Children that are false, null or undefined are left out.
 * @param {string} tag @param {Record<string, unknown> | null} [props] @param {...unknown} children
 * @returns {Node_}
 */
export function h(tag, props, ...children) {
  const { key, ...rest } = props ?? {}
  const given = children.flat(9).filter(child => child !== false && child !== null && child !== undefined)
  const kids = given.map(child => (typeof child === 'object' ? child : String(child)))
  return { tag, key: /** @type {string | undefined} */ (key), props: rest, children: /** @type {any} */ (kids) }
}

/** @param {Element} element @param {Record<string, unknown>} props */
function setProps(element, props) {
  const old = shown.get(element) ?? {}
  for (const name of Object.keys(old)) if (!(name in props)) setProp(element, name, undefined, old[name])
  for (const [name, value] of Object.entries(props)) {
    if (name === 'vars' || value !== old[name]) setProp(element, name, value, old[name])
  }
  shown.set(element, props)
}

/** @param {Element} element @param {string} name @param {any} value @param {any} old */
function setProp(element, name, value, old) {
  if (name.startsWith('on')) {
    if (old) element.removeEventListener(name.slice(2), old)
    if (value) element.addEventListener(name.slice(2), value)
  } else if (name === 'vars') {
    const { style } = /** @type {HTMLElement} */ (element)
    for (const [key, one] of Object.entries(value ?? {})) {
      if (style.getPropertyValue(key) !== String(one)) style.setProperty(key, String(one))
    }
  } else if (value === undefined || value === false || value === null) element.removeAttribute(name)
  else element.setAttribute(name, value === true ? '' : String(value))
}

/** @param {Node_ | string} node */
function create(node) {
  if (typeof node === 'string') return document.createTextNode(node)
  const { tag, key } = node
  const element = SVG.has(tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', tag)
    : document.createElement(tag)
  if (key !== undefined) keys.set(element, key)
  update(element, node)
  return element
}

/** @param {Element} element @param {Node_} node */
function update(element, node) {
  setProps(element, node.props)
  patch(element, node.children)
}

/** @param {ChildNode | undefined} live @param {Node_ | string} node */
const fits = (live, node) =>
  live !== undefined &&
  (typeof node === 'string'
    ? live.nodeType === 3
    : live.nodeName.toLowerCase() === node.tag && keys.get(live) === node.key)

/**
 * Makes `parent` hold exactly these children. Children with a key keep their element wherever they move.
 * @param {Element} parent @param {(Node_ | string)[]} nodes
 */
export function patch(parent, nodes) {
  /** @type {Map<string, ChildNode>} */
  const keyed = new Map()
  for (const live of parent.childNodes) {
    const key = keys.get(live)
    if (key !== undefined) keyed.set(key, live)
  }
  nodes.forEach((node, i) => {
    const here = parent.childNodes[i]
    const known = typeof node === 'object' && node.key !== undefined ? keyed.get(node.key) : undefined
    const live = known && fits(known, node) ? known : fits(here, node) ? here : undefined
    if (live === undefined) parent.insertBefore(create(node), here ?? null)
    else {
      if (live !== here) parent.insertBefore(live, here ?? null)
      if (typeof node === 'string') {
        if (live.nodeValue !== node) live.nodeValue = node
      } else update(/** @type {Element} */ (live), node)
    }
  })
  while (parent.childNodes.length > nodes.length) parent.lastChild?.remove()
}
