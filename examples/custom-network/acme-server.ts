import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** Starts a fake ad network on loopback. It prints each call that it counts. */
export async function startAcme() {
  const apiKey = 'acme-example-key'
  const server = createServer(async (req, res) => {
    if (req.url !== '/v1/views' || req.headers['acme-key'] !== apiKey) {
      res.writeHead(403).end()
      return
    }
    console.log(`Acme counted ${JSON.stringify(await json(req))}`)
    res.writeHead(204).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    apiKey,
    baseUrl: `http://127.0.0.1:${port}`,
    async close() {
      server.close()
      await once(server, 'close')
    },
  }
}
