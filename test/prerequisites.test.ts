import assert from 'node:assert/strict'
import path from 'node:path'
import { findProgram } from './prerequisites.js'

describe('findProgram', () => {
  it("returns the path in the program's environment variable", () => {
    assert.equal(findProgram('chromium', { CHROMIUM_PATH: process.execPath }), process.execPath)
  })

  it('throws one line that says how to install a missing program', () => {
    assert.throws(() => findProgram('redis-server', { PATH: import.meta.dirname }), {
      message:
        'no redis-server on the PATH: ' +
        'install it (apt-get install redis-server), or set REDIS_SERVER_PATH',
    })
  })

  it('does not search the PATH if the environment variable names a missing file', () => {
    const missing = path.join(import.meta.dirname, 'chromium')
    assert.throws(() => findProgram('chromium', { ...process.env, CHROMIUM_PATH: missing }), {
      message: `no chromium at ${missing}: install it (apt-get install chromium), or set CHROMIUM_PATH`,
    })
  })
})
