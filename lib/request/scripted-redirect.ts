import type { ServerResponse } from 'node:http'
import { hasAnyResponseHeader } from './response-header.js'

/** The headers with which a script of the page goes elsewhere instead of displaying the response. */
const REDIRECT_HEADERS: ReadonlySet<string> = new Set([
  // https://htmx.org/reference/#response_headers
  'hx-redirect',
  'hx-location',
  'hx-refresh',
  // https://inertiajs.com/docs/v3/the-basics/redirects
  'x-inertia-location',
  'x-inertia-redirect',
  // Next.js: packages/next/src/server/web/adapter.ts
  'x-nextjs-redirect',
  // Remix 2 without single fetch, and React Router 7: packages/react-router/lib/dom/ssr/single-fetch.tsx
  'x-remix-redirect',
])

/** React Router: packages/react-router/lib/server-runtime/single-fetch.ts. */
const REACT_ROUTER_HEADERS: ReadonlySet<string> = new Set(['x-remix-response'])
const REACT_ROUTER_REDIRECT_STATUS = 202

/**
 * Whether the response to a script of a client-side router is a redirect, whatever its status. `fetch`
 * would follow a redirect by status, so routers use headers of their own.
 */
export function isScriptedRedirect(res: ServerResponse): boolean {
  if (hasAnyResponseHeader(res, REDIRECT_HEADERS)) return true
  return (
    res.statusCode === REACT_ROUTER_REDIRECT_STATUS &&
    hasAnyResponseHeader(res, REACT_ROUTER_HEADERS)
  )
}
