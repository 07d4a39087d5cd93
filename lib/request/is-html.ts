import type { ServerResponse } from 'node:http'
import { readResponseHeader } from './response-header.js'

const HTML = /^\s*(?:text\/html|application\/xhtml\+xml)\b/i

/** Whether the response says that it is a page, and not an image or a script, for example. */
export function isHtml(res: ServerResponse): boolean {
  return HTML.test(readResponseHeader(res, 'content-type'))
}
