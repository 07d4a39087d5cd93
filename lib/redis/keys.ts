import { createHash } from 'node:crypto'

/**
 * What the names of a network's keys begin with: `{prefix:network}:`. Redis Cluster hashes only the
 * part in braces, so all keys of a network are on one node, and a script can change them together.
 */
export function keyBase(prefix: string, network: string): string {
  return `{${escapeBraces(prefix)}:${escapeBraces(network)}}:`
}

/** A brace in a name would end the part that Redis Cluster hashes. */
function escapeBraces(name: string): string {
  return name.replace(/[%{}]/g, encodeURIComponent)
}

/** The keys that an exchange changes, in the order in which the script expects them. */
export function exchangeKeys(base: string, owner: string, box: 'fleet' | 'own'): string[] {
  return [
    // A hash: id, the name of the first owner; sequence; sender, isFailover; pauseOwner, pauseUntilMs, isProbe.
    `${base}state`,
    // A sorted set: when each owner's lease expires.
    `${base}owners`,
    // A list: dead owners that may have left records.
    `${base}dead`,
    // A hash: payloads by id.
    `${base}records`,
    // A list: `<time in ms>:<number of calls>`.
    `${base}calls`,
    // A hash: the figures of past owners.
    `${base}figures`,
    // A hash: step, appendNumber, receipts, expiresFromMs, figures; isSpared if it has its lease only
    // because of an outage; after its death, isDead but no figures.
    `${base}owner:${owner}`,
    // A sorted set: ids of the records that the owner has claimed.
    `${base}claimed:${owner}`,
    // A sorted set: ids of waiting records by sequence.
    box === 'fleet' ? `${base}box` : `${base}box:${owner}`,
  ]
}

/** The keys that `FLEET_SCRIPT` reads, in its order. */
export function fleetKeys(base: string): string[] {
  return ['state', 'owners', 'records', 'figures'].map((name) => base + name)
}

/** A dedupe key names what a client may choose, of any length: its hash is short. */
export function dedupeKeyName(base: string, dedupeKey: string): string {
  // As JSON, because UTF-8 cannot tell lone surrogates apart.
  const hash = createHash('sha256').update(JSON.stringify(dedupeKey)).digest()
  return `${base}key:${hash.toString('base64url', 0, 16)}`
}
