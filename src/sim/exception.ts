// Differences from a recording that are meant, each with the reason; an exception that meets nothing is stale.
import type { Difference } from './compare.ts'

export type Exception = Readonly<{
  /** Stories in which it may show; all when not given. Only named ones must show in each. */
  stories?: readonly string[]
  on: string | RegExp
  facet: string | RegExp
  what?: Difference['what']
  detail?: RegExp
  /** A sentence that a user would accept. */
  because: string
}>

const fits = (pattern: string | RegExp, text: string): boolean =>
  typeof pattern === 'string' ? pattern === text : pattern.test(text)

const covers = (exception: Exception, { on, facet, what, detail }: Difference): boolean =>
  fits(exception.on, on) &&
  fits(exception.facet, facet) &&
  (exception.what ?? what) === what &&
  (exception.detail ?? /./).test(detail)

/** What of a story's differences no exception explains, and the exceptions named for this story that explain nothing. */
export function judge(
  story: string,
  differences: readonly Difference[],
  exceptions: readonly Exception[],
): Readonly<{ unexplained: readonly Difference[]; stale: readonly Exception[] }> {
  const here = exceptions.filter(({ stories }) => stories === undefined || stories.includes(story))
  return {
    unexplained: differences.filter(difference => !here.some(exception => covers(exception, difference))),
    stale: here.filter(
      exception => exception.stories && !differences.some(difference => covers(exception, difference)),
    ),
  }
}
