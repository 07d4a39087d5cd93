import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url)
const EXAMPLES = new URL('examples/', ROOT)

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly dependencies?: object }>
  >
}

const readJson = (url: URL): unknown => JSON.parse(readFileSync(url, 'utf8'))

describe('The lock of the recipe', () => {
  const { dependencies } = readJson(new URL('package.json', ROOT)) as { dependencies: object }
  for (const name of readdirSync(EXAMPLES)) {
    const folder = new URL(`${name}/`, EXAMPLES)
    if (!existsSync(new URL('package.json', folder))) continue

    it(`${name} has the dependencies of this package, and no URLs`, () => {
      const { packages } = readJson(new URL('package-lock.json', folder)) as Lock
      const installed = packages['node_modules/ad-impressions']
      const fix = `run npm install in examples/${name}`
      assert.deepEqual(installed?.dependencies, dependencies, fix)
      for (const [path, { resolved = 'file:' }] of Object.entries(packages)) {
        assert(resolved.startsWith('file:'), `${path}: ${resolved}`)
      }
    })
  }
})
