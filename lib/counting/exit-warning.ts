import type { Stats } from './statistics.js'

/** One function for each tracker that has not been closed. */
const openTrackers = new Set<() => Stats>()

/**
 * Writes to stderr, as the process exits, how many impressions were not delivered. Without
 * `close()` they are lost, and nobody would notice.
 *
 * @returns a function that removes the warning
 */
export function warnAtExit(readStats: () => Stats): () => void {
  if (openTrackers.size === 0) process.on('exit', writeWarnings)
  openTrackers.add(readStats)
  return () => {
    openTrackers.delete(readStats)
    if (openTrackers.size === 0) process.off('exit', writeWarnings)
  }
}

function writeWarnings(): void {
  for (const readStats of openTrackers) {
    const undelivered = Object.entries(readStats())
      .map(([network, { held, pending }]) => ({ network, count: held + pending }))
      .filter(({ count }) => count > 0)
      .map(({ network, count }) => `${count} for ${network}`)
    if (undelivered.length === 0) continue
    process.stderr.write(
      `ad-impressions: the process exits with undelivered impressions: ${undelivered.join(', ')}; ` +
        'await close() before the process ends\n',
    )
  }
}
