import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { checkVersions, isInRange } from '../../../lib/sandbox/doctor/check-versions.js'
import { readPackageManifest } from '../../../lib/sandbox/doctor/package-manifest.js'

const manifest = {
  version: '1.0.0',
  engines: { node: '>=20.19' },
  peerDependencies: { express: '^4.16.0 || ^5.0.0', koa: '^2.15.0 || ^3.0.0' },
}

describe('doctor: versions', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ad-impressions-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function install(name: string, version: unknown): void {
    const target = path.join(folder, 'node_modules', name)
    mkdirSync(target, { recursive: true })
    writeFileSync(path.join(target, 'package.json'), JSON.stringify({ name, version }))
  }

  /** Without Node.js. */
  const check = (directory = folder) =>
    checkVersions(manifest, directory)
      .slice(1)
      .map(({ level, text }) => `${level}: ${text}`)

  it('are fine for this Node.js and supported frameworks', () => {
    install('express', '5.1.0')
    install('koa', '2.16.0')
    assert.deepEqual(checkVersions(manifest, folder)[0], {
      level: 'ok',
      text: `Node.js ${process.versions.node}`,
    })
    assert.deepEqual(check(), ['ok: express 5.1.0', 'ok: koa 2.16.0'])
  })

  it('are a problem if Node.js or a framework is too old', () => {
    install('express', '3.21.2')
    assert.deepEqual(check(), ['problem: express 3.21.2: install a version in ^4.16.0 || ^5.0.0'])
    const [node] = checkVersions({ ...manifest, engines: { node: '>=99.1' } }, folder)
    assert.deepEqual(node, {
      level: 'problem',
      text: `Node.js ${process.versions.node}: install a version in >=99.1`,
    })
  })

  it('are found in a parent directory, as Node.js finds them', () => {
    install('express', '5.1.0')
    assert.deepEqual(check(path.join(folder, 'packages', 'site')), ['ok: express 5.1.0'])
  })

  it('are not known without a framework, or with a broken one', () => {
    install('express', null)
    assert.match(check().join('\n'), /^note: no framework is installed in .*; run the command in/)
  })

  const ranges: [version: string, range: string, isIn: boolean][] = [
    ['20.19.0', '>=20.19', true],
    ['22.0.0', '>=20.19', true],
    ['20.18.3', '>=20.19', false],
    ['4.16.0', '^4.16.0 || ^5.0.0', true],
    ['4.15.5', '^4.16.0 || ^5.0.0', false],
    ['5.3.1', '^4.16.0 || ^5.0.0', true],
    ['6.0.0', '^4.16.0 || ^5.0.0', false],
    ['5.0.0-beta.3', '^4.16.0 || ^5.0.0', true],
    ['1.9.10', '^1.9.9', true],
  ]
  for (const [version, range, isIn] of ranges) {
    it(`say that ${version} is ${isIn ? '' : 'not '}in ${range}`, () => {
      assert.equal(isInRange(version, range), isIn)
    })
  }

  it('can read every range of package.json', () => {
    const { version, engines, peerDependencies } = readPackageManifest()
    assert.match(version, /^\d+\.\d+\.\d+/)
    for (const range of [engines.node, ...Object.values(peerDependencies)]) {
      assert.equal(isInRange('0.0.1', range), false, range)
    }
  })
})
