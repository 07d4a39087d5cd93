import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { BROWSER_HEADERS } from '../page/browser-headers.js'

/** A request and its response, as Node creates them but without a connection. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

export function createExchange(userAgent: string = BROWSER_HEADERS['user-agent']): Exchange {
  const req = new IncomingMessage(new Socket())
  req.method = 'GET'
  req.url = '/'
  Object.assign(req.headers, BROWSER_HEADERS, { host: 'shop.example', 'user-agent': userAgent })
  const res = new ServerResponse(req)
  res.assignSocket(req.socket)
  return { req, res }
}

/** Makes the response look as if it had been written completely. */
export function finishResponse({ res }: Exchange): void {
  res.emit('finish')
}
