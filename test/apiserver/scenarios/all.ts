// Every scenario of the conformance suite.

import { definitions } from './definitions.ts'
import { deletes } from './deletes.ts'
import { lists } from './lists.ts'
import { objects } from './objects.ts'
import { patches } from './patches.ts'
import { watches } from './watches.ts'

export const scenarios = [...objects, ...patches, ...lists, ...watches, ...deletes, ...definitions]
