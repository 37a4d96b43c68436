// Which series tell of which object, so that they go when it is gone: a controller that runs for months must not keep a line
// for each run that there ever was.

/** argo: longer than a minute, so that whoever scrapes once a minute sees the end. */
const KEPT = 65_000

export type SeriesBook = Readonly<{
  /** A series tells of an object; `remove` takes it away. */
  note(about: string, series: string, remove: () => void): void
  /** The object is gone. */
  forget(about: string): void
  /** Takes away what has been gone for long enough; called before each scrape. */
  purge(): void
}>

/** `now` counts milliseconds from anywhere. */
export function createSeriesBook(now: () => number): SeriesBook {
  const series = new Map<string, Map<string, () => void>>()
  /** In the order in which they went. */
  const gone = new Map<string, number>()

  const purge = (): void => {
    for (const [about, at] of gone) {
      if (now() - at < KEPT) return
      gone.delete(about)
      for (const remove of series.get(about)?.values() ?? []) remove()
      series.delete(about)
    }
  }

  return {
    note(about, name, remove) {
      const known = series.get(about)
      if (known) known.set(name, remove)
      else series.set(about, new Map([[name, remove]]))
    },
    forget(about) {
      // Nobody may ever scrape.
      purge()
      gone.delete(about)
      gone.set(about, now())
    },
    purge,
  }
}
