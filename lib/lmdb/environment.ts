import { mkdirSync, realpathSync, statfsSync } from 'node:fs'
import { type Database, open, type RootDatabase, type RootDatabaseOptions } from 'lmdb'
import { checkDataFile } from './check-data-file.js'

/** Most networks in one directory. */
const MAX_NETWORKS = 200

/** Most processes that read at the same time. */
const MAX_READERS = 1_000

/** Objects are stored as plain maps, so that each row can be read without another one. */
const ROWS: RootDatabaseOptions = {
  keyEncoding: 'binary',
  encoding: 'msgpack',
  encoder: { useRecords: false },
}

const CLOSE_TIMEOUT_MS = 2_000

const MIN_FREE_BYTES = 1024 * 1024

interface SharedEnvironment {
  readonly root: RootDatabase
  users: number
  closing: Promise<void> | undefined
}

/** A process must not open a directory twice: its outboxes share it. By real path. */
const environments = new Map<string, SharedEnvironment>()

/** One network's part of a directory. */
export interface Environment {
  readonly db: Database<unknown, Buffer>
  close(): Promise<void>
}

/** Opens the directory, and creates it if need be. */
export async function openEnvironment(directory: string, network: string): Promise<Environment> {
  mkdirSync(directory, { recursive: true })
  const path = realpathSync(directory)
  // While this waits, another outbox may open it again and close it again.
  for (let old = environments.get(path); old?.closing; old = environments.get(path)) {
    await old.closing
  }
  const environment = environments.get(path) ?? openRoot(path)
  environment.users += 1
  try {
    const db = environment.root.openDB<unknown, Buffer>(network, ROWS)
    return { db, close: () => release(path, environment) }
  } catch (thrown) {
    await release(path, environment)
    throw thrown
  }
}

function openRoot(path: string): SharedEnvironment {
  // LMDB maps files into memory, and a full disk ends a process that writes there.
  assertFreeSpace(path)
  checkDataFile(path)
  const root = open({
    path,
    noSubdir: false,
    maxDbs: MAX_NETWORKS,
    maxReaders: MAX_READERS,
    // Otherwise lmdb makes a promise of its own per batch, and nobody handles its rejection.
    eventTurnBatching: false,
  })
  const environment = { root, users: 0, closing: undefined }
  environments.set(path, environment)
  return environment
}

/** @throws Error if the disk is full */
export function assertFreeSpace(path: string): void {
  const { bavail, bsize } = statfsSync(path)
  if (bavail * bsize < MIN_FREE_BYTES) throw new Error('its disk is full')
}

async function release(path: string, environment: SharedEnvironment): Promise<void> {
  environment.users -= 1
  if (environment.users > 0) return
  environment.closing = closeRoot(environment.root).finally(() => environments.delete(path))
  await environment.closing
}

/** lmdb waits forever if the last transaction has failed. */
async function closeRoot(root: RootDatabase): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
  })
  await Promise.race([root.close(), timeout]).finally(() => clearTimeout(timer))
}
