import { readFileSync } from 'node:fs'

/** What commands need of this package's `package.json`. */
export interface PackageManifest {
  readonly version: string
  /** Supported versions of Node.js. */
  readonly engines: { readonly node: string }
  /** Supported versions of frameworks and other packages that an app may have. */
  readonly peerDependencies: Readonly<Record<string, string>>
}

export function readPackageManifest(): PackageManifest {
  const file = new URL('../../../package.json', import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as PackageManifest
}
