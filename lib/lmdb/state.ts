/** What one network's processes share, apart from the rows of the other tables. */
export interface State {
  /** Of the tables' layout. */
  readonly version: number
  /** See `ExchangeResponse.storeId`: the name of the first owner. */
  id: string
  /** The store's clock, and the machine's clocks when it was last read. */
  timeMs: number
  bootId: string
  monotonicMs: number
  wallMs: number
  /** Of the record that was put into a box last. */
  sequence: number
  /** Records in all places. */
  records: number
  /** All but those whose records have all been moved to others. */
  owners: Owner[]
  lastOwner: number
  /** The number of the owner that has, or had, the sender's role. */
  sender?: number | undefined
  isFailover: boolean
  pause?: Pause | undefined
  /** When expired calls were forgotten last. */
  callsForgottenMs: number
}

export interface Pause {
  readonly owner: number
  readonly untilMs: number
  /** Whether the owner has its one record, and gets no other before it ends or prolongs the pause. */
  readonly isProbe: boolean
}

export interface Owner {
  readonly name: string
  /** Names the owner in other rows. Numbers start at 1. */
  readonly number: number
  /** `undefined` for a dead owner of which records are left to be moved. */
  leaseUntilMs?: number | undefined
  /** Whether it has its lease only because of an outage, and has done no step since. */
  isSpared?: true | undefined
  /** The number of its last step. */
  step: number
  /** The number of its last append. */
  append: number
}

const LAYOUT_VERSION = 2

const EMPTY_STATE: State = {
  version: LAYOUT_VERSION,
  id: '',
  timeMs: 0,
  bootId: '',
  monotonicMs: 0,
  wallMs: 0,
  sequence: 0,
  records: 0,
  owners: [],
  lastOwner: 0,
  isFailover: false,
  callsForgottenMs: 0,
}

/** @throws Error if another release has written it */
export function parseState(row: unknown): State {
  if (row === undefined) return { ...EMPTY_STATE, owners: [] }
  const state = (typeof row === 'string' ? JSON.parse(row) : row) as State
  if (state.version !== LAYOUT_VERSION) {
    throw new Error(
      `its layout has version ${state.version}: this release reads version ${LAYOUT_VERSION}`,
    )
  }
  return state
}

/** As text, because JSON decodes objects faster than MessagePack. */
export function serializeState(state: State): string {
  return JSON.stringify(state)
}
