import { mkdirSync, realpathSync } from 'node:fs'
import { type Database, open, type RootDatabase, type RootDatabaseOptions } from 'lmdb'

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
  // Another outbox may have opened it again in the meantime, and closed it again.
  for (let old = environments.get(path); old?.closing; old = environments.get(path)) {
    await old.closing
  }
  const environment = environments.get(path) ?? {
    root: openRoot(path),
    users: 0,
    closing: undefined,
  }
  const db = environment.root.openDB<unknown, Buffer>(network, ROWS)
  environments.set(path, environment)
  environment.users += 1
  return { db, close: () => release(path, environment) }
}

function openRoot(path: string): RootDatabase {
  return open({ path, noSubdir: false, maxDbs: MAX_NETWORKS, maxReaders: MAX_READERS })
}

async function release(path: string, environment: SharedEnvironment): Promise<void> {
  environment.users -= 1
  if (environment.users > 0) return
  environment.closing = environment.root.close().finally(() => environments.delete(path))
  await environment.closing
}
