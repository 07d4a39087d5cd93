import type { EventEmitter } from 'node:events'

/** Resolves on 'close'. `events.once` would reject if the client's reset emits 'error' first. */
export function waitForClose(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.once('close', () => resolve()))
}
