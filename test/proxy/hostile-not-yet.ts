// Names of hostile cases that the engine does not yet treat as it must. To be emptied.
export const notYet: ReadonlySet<string> = new Set([])

/** The same for answers of pods. */
export const notYetAnswers: ReadonlySet<string> = new Set(['length: of 00005'])

/** Does a WebSocket hang whose client says more than 64 KB before the pod has agreed to it? */
export const notYetEarlyWords: boolean = true

/** Is a client now and then blamed (408) when the pod has taken nothing of an upload for longer than the limit `body`? */
export const notYetSlowPods: boolean = true
