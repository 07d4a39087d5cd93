import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Finding } from './finding.js'
import type { PackageManifest } from './package-manifest.js'

/**
 * Whether Node.js and the packages that the app has installed are supported versions.
 *
 * @param directory the app's
 */
export function checkVersions(manifest: PackageManifest, directory: string): Finding[] {
  const { engines, peerDependencies } = manifest
  const installed = Object.entries(peerDependencies).flatMap(([name, range]) => {
    const version = readInstalledVersion(name, directory)
    return version === undefined ? [] : [checkVersion(name, version, range)]
  })
  const frameworks: Finding[] =
    installed.length > 0
      ? installed
      : [
          {
            level: 'note',
            text:
              `no framework is installed in ${directory}; run the command in the directory of ` +
              'your app, unless it uses node:http alone',
          },
        ]
  return [checkVersion('Node.js', process.versions.node, engines.node), ...frameworks]
}

function checkVersion(name: string, version: string, range: string): Finding {
  if (isInRange(version, range)) return { level: 'ok', text: `${name} ${version}` }
  return { level: 'problem', text: `${name} ${version}: install a version in ${range}` }
}

/** The version that a file in the directory would import; `undefined` without one. */
function readInstalledVersion(name: string, directory: string): string | undefined {
  // Not every package exports its package.json, so it cannot be resolved.
  const folders = createRequire(path.join(directory, 'app.js')).resolve.paths(name) ?? []
  for (const folder of folders) {
    try {
      const { version }: { version?: unknown } = JSON.parse(
        readFileSync(path.join(folder, name, 'package.json'), 'utf8'),
      )
      return typeof version === 'string' ? version : undefined
    } catch {
      // It is not in this folder.
    }
  }
  return undefined
}

/** @param range alternatives such as `>=20.19` and `^4.16.0 || ^5.0.0`, the forms that package.json has */
export function isInRange(version: string, range: string): boolean {
  const actual = parseVersion(version)
  return range.split('||').some((alternative) => {
    const [, operator, minimum = ''] = /^\s*(\^|>=)(\S+)\s*$/.exec(alternative) ?? []
    if (operator === undefined) throw new RangeError(`unknown range: ${range}`)
    const least = parseVersion(minimum)
    return isAtLeast(actual, least) && (operator === '>=' || actual[0] === least[0])
  })
}

/** Without a prerelease tag. */
function parseVersion(version: string): readonly [number, number, number] {
  const [major = 0, minor = 0, patch = 0] = version.split('-', 1).join('').split('.').map(Number)
  return [major, minor, patch]
}

function isAtLeast(actual: readonly number[], least: readonly number[]): boolean {
  const index = actual.findIndex((part, position) => part !== least[position])
  return index < 0 || (actual[index] ?? 0) > (least[index] ?? 0)
}
