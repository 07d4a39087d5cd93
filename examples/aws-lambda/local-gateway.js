// In place of API Gateway, so that the function runs here.

import { createServer } from 'node:http'
import { waitUntilStopped } from '../wait-until-stopped.js'
import { handler } from './handler.js'

const server = createServer(async (req, res) => {
  try {
    const { statusCode, headers, body, isBase64Encoded } = await handler(createEvent(req), {})
    res.writeHead(statusCode, headers)
    res.end(body, isBase64Encoded ? 'base64' : 'utf8')
  } catch (error) {
    console.error(error)
    res.writeHead(502).end()
  }
})

/** An event of API Gateway without a body (HTTP API, payload format 2.0). */
function createEvent({ method, url, headers, socket }) {
  const [rawPath, ...query] = url.split('?')
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: query.join('?'),
    headers,
    requestContext: {
      http: { method, path: rawPath, sourceIp: socket.remoteAddress },
    },
    isBase64Encoded: false,
  }
}

await waitUntilStopped(server.listen(process.env.PORT ?? 3000))
