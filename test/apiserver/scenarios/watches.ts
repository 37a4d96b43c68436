// Watches: replay, live events, selectors, initial events, bookmarks, ends.
import type { Scenario, Step } from '../kit/scenario.ts'
import { MERGE, widget, widgets } from './paths.ts'

const make = (name: string, labels: object = {}, spec: object = { size: 1 }): Step => ({
  say: `${name} is made`,
  method: 'POST',
  path: widgets,
  body: widget(name, spec, { labels }),
})
const change = (say: string, name: string, body: object): Step => ({
  say,
  method: 'PATCH',
  type: MERGE,
  path: `${widgets}/${name}`,
  body,
})
const remove = (name: string): Step => ({ say: `${name} is deleted`, method: 'DELETE', path: `${widgets}/${name}` })
const open = (name: string, query: Record<string, string | number | boolean> = {}): Step => ({
  say: `${name} is opened`,
  open: name,
  path: widgets,
  query,
})
const since = (name: string, say: string, query: Record<string, string> = {}): Step => ({
  say: `${name} is opened`,
  open: name,
  path: widgets,
  query: past => ({ ...query, resourceVersion: `${past(say).metadata['resourceVersion']}` }),
})

export const watches: readonly Scenario[] = [
  {
    name: 'watches from a version and from now',
    steps: [
      make('a'),
      open('state first'),
      { say: 'the state comes first', read: 'state first', count: 1 },
      make('b'),
      change('a changes', 'a', { spec: { size: 2 } }),
      change('a does not change', 'a', { spec: { size: 2 } }),
      remove('b'),
      { say: 'then what happens', read: 'state first', count: 3 },
      since('replay', 'a is made'),
      { say: 'what has happened since', read: 'replay', count: 3 },
      make('c'),
      { say: 'and goes on', read: 'replay', count: 1 },
      since('middle', 'b is made'),
      { say: 'from the middle', read: 'middle', count: 3 },
      open('any version', { resourceVersion: '0' }),
      { say: 'the state of any version', read: 'any version', count: 2 },
    ],
  },
  {
    name: 'watches through selectors',
    steps: [
      make('a', { app: 'x' }),
      make('b', { app: 'y' }),
      open('by label', { labelSelector: 'app=x' }),
      open('by name', { fieldSelector: 'metadata.name=b' }),
      open('by color', { fieldSelector: 'spec.color=green' }),
      { say: 'the present a', read: 'by label', count: 1 },
      { say: 'the present b', read: 'by name', count: 1 },
      change('a stops matching', 'a', { metadata: { labels: { app: 'z' } } }),
      change('b starts matching', 'b', { metadata: { labels: { app: 'x' } } }),
      change('b still matches', 'b', { spec: { size: 5 } }),
      change('b turns green', 'b', { spec: { color: 'green' } }),
      remove('a'),
      remove('b'),
      { say: 'seen by label', read: 'by label', count: 5 },
      { say: 'seen by name', read: 'by name', count: 4 },
      { say: 'seen by color', read: 'by color', count: 2 },
      since('replay', 'b is made', { labelSelector: 'app=x' }),
      { say: 'replayed by label', read: 'replay', count: 5 },
    ],
  },
  {
    name: 'initial events',
    steps: [
      make('a'),
      make('b'),
      open('streamed', { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true }),
      { say: 'all objects and a bookmark', read: 'streamed', count: 3, bookmarks: true },
      make('c'),
      { say: 'then what happens', read: 'streamed', count: 1 },
      {
        say: 'without a match they are refused',
        method: 'GET',
        path: widgets,
        query: { watch: true, sendInitialEvents: true },
      },
      {
        say: 'a match without them is refused',
        method: 'GET',
        path: widgets,
        query: { watch: true, resourceVersion: 1, resourceVersionMatch: 'NotOlderThan' },
      },
    ],
  },
  {
    name: 'the end of a watch',
    steps: [
      make('a'),
      open('short', { timeoutSeconds: 1, fieldSelector: 'metadata.name=a' }),
      { say: 'the state', read: 'short', count: 1 },
      { say: 'it ends by itself', ends: 'short' },
      open('with bookmarks', { timeoutSeconds: 4, allowWatchBookmarks: true, fieldSelector: 'metadata.name=a' }),
      { say: 'the state again', read: 'with bookmarks', count: 1 },
    ],
  },
  {
    name: 'the last finalizer and watches',
    steps: [
      {
        say: 'made with a finalizer',
        method: 'POST',
        path: widgets,
        body: widget('a', { size: 1 }, { finalizers: ['example.com/wait'] }),
      },
      open('all'),
      { say: 'the state', read: 'all', count: 1 },
      remove('a'),
      change('the finalizer goes', 'a', { metadata: { finalizers: [] } }),
      { say: 'marked, then deleted', read: 'all', count: 2 },
    ],
  },
]
