import assert from 'node:assert/strict'
import { RedisServer } from './redis-server.js'

describe('The Redis server of the tests', () => {
  it('keeps its data over a crash with an append-only file', async () => {
    const server = await RedisServer.start(['--appendonly', 'yes'])
    try {
      await server.run('SET', 'key', 'value')
      await server.kill()
      await server.restart()
      assert.equal(await server.run('GET', 'key'), 'value')
    } finally {
      await server.stop()
    }
  })
})
