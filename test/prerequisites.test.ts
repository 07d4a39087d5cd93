import assert from 'node:assert/strict'
import path from 'node:path'
import { pathOf } from './prerequisites.js'

describe('a program that tests need', () => {
  it('is the one that its variable names', () => {
    assert.equal(pathOf('chromium', { CHROMIUM_PATH: process.execPath }), process.execPath)
  })

  it('is said to be missing in one line, with how to get it', () => {
    assert.throws(() => pathOf('redis-server', { PATH: import.meta.dirname }), {
      message:
        'no redis-server on the PATH: ' +
        'install it (apt-get install redis-server), or name it in REDIS_SERVER_PATH',
    })
  })

  it('is not looked for elsewhere when its variable names one that is not there', () => {
    const missing = path.join(import.meta.dirname, 'chromium')
    assert.throws(() => pathOf('chromium', { ...process.env, CHROMIUM_PATH: missing }), {
      message: `no chromium at ${missing}: install it (apt-get install chromium), or name it in CHROMIUM_PATH`,
    })
  })
})
