import type { Contestant, Counting } from './contestant.js'
import { handWritten } from './hand-written.js'
import { own } from './own.js'
import { peers } from './peers.js'

/** The page as it is: the limit. */
const bare = {
  label: 'bare',
  impressions: 0,
  wire: undefined,
  start: (): Counting => ({ inputOf: () => ({}) }),
} satisfies Contestant

/** Every contestant, in the order in which they take turns. */
export const CONTESTANTS = { bare, ...own, ...handWritten, ...peers }

export type ContestantName = keyof typeof CONTESTANTS

export const CONTESTANT_NAMES = Object.keys(CONTESTANTS) as ContestantName[]

export function isContestantName(name: string | undefined): name is ContestantName {
  return name !== undefined && Object.hasOwn(CONTESTANTS, name)
}
