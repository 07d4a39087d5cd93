/** A path that needs no escaping in HTML and cannot be read as `//host`. */
const SAFE_PATH = /^(\/[\w.~%-]+)*$/

/**
 * Finds the path at which the middleware is mounted: what the framework has removed from the front
 * of the URL.
 *
 * @param originalUrl the URL of the request
 * @param url the URL that the middleware received
 * @returns an empty string at the root of the site, or if the mount path is unknown or unsafe
 */
export function findMountPath(originalUrl: string, url: string): string {
  const original = stripQuery(originalUrl)
  const routed = stripQuery(url)
  const rest = routed === '/' && !original.endsWith('/') ? '' : routed
  const mount = original.slice(0, original.length - rest.length)
  // The client chooses a mount path that has parameters, so it may contain markup.
  return original.endsWith(rest) && SAFE_PATH.test(mount) ? mount : ''
}

function stripQuery(url: string): string {
  return url.split('?', 1)[0] ?? ''
}
