import type { Viewer } from '../../lib/viewer/viewer.js'

/** A viewer of whom only the given traits are known. */
export function viewer(known: Partial<Viewer> = {}): Viewer {
  return { country: undefined, device: undefined, searchQuery: undefined, ...known }
}
