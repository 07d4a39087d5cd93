import assert from 'node:assert/strict'
import path from 'node:path'
import { build, type Format } from 'esbuild'
import { createTemporaryFolder, ROOT, run } from './tarball.js'

/** Some dependencies are CommonJS and call `require()`, which ES modules do not have. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"

const FORMATS: readonly [format: Format, file: string, banner: string][] = [
  ['esm', 'site.mjs', REQUIRE],
  ['cjs', 'site.cjs', ''],
]

describe('a site that esbuild has bundled', () => {
  for (const [format, file, banner] of FORMATS) {
    it(`counts its page and serves the client script, without node_modules, as ${format}`, async () => {
      const folder = await createTemporaryFolder()
      const { warnings } = await build({
        entryPoints: [path.join(ROOT, 'test/package/apps/bundle/site.js')],
        outfile: path.join(folder, file),
        bundle: true,
        minify: true,
        platform: 'node',
        format,
        banner: { js: banner },
        logLevel: 'silent',
      })

      assert.deepEqual(warnings, [])
      assert.equal(
        await run(process.execPath, [file], folder),
        'page\nclient script\nENS 1\nClosient 1\n',
      )
    })
  }
})
