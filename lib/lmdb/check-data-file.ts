import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'

// LMDB maps the file into memory: what it cannot read there ends the process. So its two headers
// are checked first. Their layout is that of `MDB_page_header` and `MDB_meta` in mdb.c.

const HEADER_BYTES = 176
const MAGIC = 0xbeefc0de
const FORMAT = 2
const OFFSETS = { magic: 24, format: 28, pageSize: 48, lastPage: 144 }

/** LMDB does not always write the last pages that it counts. More than this was cut off. */
const MAX_MISSING_BYTES = 64 * 1024 * 1024

/** @throws Error if the file cannot be one of LMDB's, or has been cut off */
export function checkDataFile(directory: string): void {
  const path = join(directory, 'data.mdb')
  let file: number
  try {
    // Appending: another process may be writing to the file.
    file = openSync(path, 'a+')
  } catch (thrown) {
    throw new Error(`${path} cannot be opened`, { cause: thrown })
  }
  try {
    const { size } = fstatSync(file)
    if (size > 0) completePages(file, path, size)
  } finally {
    closeSync(file)
  }
}

/** Reading beyond the end of a mapped file ends the process. Empty pages are found to be corrupt. */
function completePages(file: number, path: string, size: number): void {
  const first = readHeader(file, path, 0)
  const second = readHeader(file, path, first.pageSize)
  const pages = Math.max(first.lastPage, second.lastPage) + 1
  const missingBytes = pages * first.pageSize - size
  if (missingBytes <= 0) return
  if (missingBytes > MAX_MISSING_BYTES) throw new Error(`${path} has been cut off`)
  writeSync(file, Buffer.alloc(missingBytes))
}

function readHeader(file: number, path: string, position: number) {
  const header = Buffer.alloc(HEADER_BYTES)
  const length = readSync(file, header, 0, HEADER_BYTES, position)
  const magic = header.readUInt32LE(OFFSETS.magic)
  const format = header.readUInt32LE(OFFSETS.format) & 0xffff
  if (length < HEADER_BYTES || magic !== MAGIC || format !== FORMAT) {
    throw new Error(`${path} is not a data file of this version of LMDB`)
  }
  return {
    pageSize: header.readUInt32LE(OFFSETS.pageSize),
    lastPage: Number(header.readBigUInt64LE(OFFSETS.lastPage)),
  }
}
