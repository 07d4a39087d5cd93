/** Path segments that stand in HTML as they are, and are no `//host`. */
const PLAIN_PATH = /^(\/[\w.~%-]+)*$/

/**
 * Where in the site the middleware is mounted: what its framework has cut off the front of the URL.
 *
 * @param url what the middleware was given to route by
 * @returns empty at the site's root, and where it cannot be told
 */
export function findMountPath(originalUrl: string, url: string): string {
  const original = stripQuery(originalUrl)
  const routed = stripQuery(url)
  const rest = routed === '/' && !original.endsWith('/') ? '' : routed
  const mount = original.slice(0, original.length - rest.length)
  // A mount path with parameters is the client's to choose.
  return original.endsWith(rest) && PLAIN_PATH.test(mount) ? mount : ''
}

function stripQuery(url: string): string {
  return url.split('?', 1)[0] ?? ''
}
