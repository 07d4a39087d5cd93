import assert from 'node:assert/strict'
import { RedisServer, SERVER } from './redis-server.js'

describe('The Redis server of the tests', () => {
  it(`is a supported version of ${SERVER}`, async () => {
    const server = await RedisServer.start()
    try {
      const info = String(await server.run('INFO', 'server'))
      const [name, oldest] = SERVER === 'valkey-server' ? ['valkey', 8] : ['redis', 7]
      const version = new RegExp(`^${name}_version:(\\d+)`, 'm').exec(info)?.[1]
      assert.ok(Number(version) >= Number(oldest), info)
    } finally {
      await server.stop()
    }
  })

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
