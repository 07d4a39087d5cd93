import type { Viewer } from '../../lib/viewer/viewer.js'

/** A viewer of whom the request tells no more than what is given. */
export function viewer(known: Partial<Viewer> = {}): Viewer {
  return { country: undefined, device: undefined, searchQuery: undefined, ...known }
}
