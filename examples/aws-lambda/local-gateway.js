// In place of API Gateway, so that the function runs here.

import { createServer } from 'node:http'
import { waitUntilStopped } from '../wait-until-stopped.js'
import { handler } from './handler.js'

const server = createServer(async (req, res) => {
  const { statusCode, headers, body, isBase64Encoded } = await handler(createEvent(req), {})
  res.writeHead(statusCode, headers)
  res.end(body, isBase64Encoded ? 'base64' : 'utf8')
})

/** An event of API Gateway without a body (HTTP API, payload format 2.0). */
function createEvent({ method, url, headers, socket }) {
  const { pathname, search } = new URL(url, 'http://localhost')
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers,
    requestContext: {
      http: { method, path: pathname, sourceIp: socket.remoteAddress },
    },
    isBase64Encoded: false,
  }
}

await waitUntilStopped(server.listen(process.env.PORT ?? 3000))
