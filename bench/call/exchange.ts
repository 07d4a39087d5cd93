import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { BROWSER } from '../page/browser.js'

/** A request as Node makes it, without a connection behind it. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

export function exchange(userAgent: string = BROWSER['user-agent']): Exchange {
  const req = new IncomingMessage(new Socket())
  req.method = 'GET'
  req.url = '/'
  Object.assign(req.headers, BROWSER, { host: 'shop.example', 'user-agent': userAgent })
  const res = new ServerResponse(req)
  res.assignSocket(req.socket)
  return { req, res }
}

/** The response was written whole. */
export function finish({ res }: Exchange): void {
  res.emit('finish')
}
