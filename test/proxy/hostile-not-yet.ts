// Names of hostile cases that the engine does not yet treat as it must. To be emptied.
export const notYet: ReadonlySet<string> = new Set([])

/** The same for answers of pods. */
export const notYetAnswers: ReadonlySet<string> = new Set([])

/** Behaviours that the engine does not show yet, by the names that the tests beside give them. */
export const notYetBehaviours: ReadonlySet<string> = new Set([])
