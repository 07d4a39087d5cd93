import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../package/tarball.js'
import { type Page, readLinks, readPage, readPages } from './markdown.js'

const MAX_README_LINES = 180
const MAX_PAGE_LINES = 200
/** Pages with one section per code, to be searched and not read. */
const REFERENCES = ['docs/reasons.md', 'docs/log-messages.md']

const pages = readPages()
const apiPages = readdirSync(path.join(ROOT, 'docs/api')).map((name) =>
  readPage(`docs/api/${name}`),
)

/** What is wrong with a link; `undefined` if it leads somewhere, or to another host. */
function findFault(page: Page, link: string): string | undefined {
  if (/^https?:/.test(link)) return undefined
  const [target = '', anchor] = link.split('#')
  const file = target ? path.join(path.dirname(page.file), target) : page.file
  if (!existsSync(path.join(ROOT, file))) return `${link}: no such file`
  if (anchor === undefined || readPage(file).anchors.has(anchor)) return undefined
  return `${link}: no such heading`
}

describe('the documentation', () => {
  for (const page of [...pages, ...apiPages]) {
    it(`has no broken link in ${page.file}`, () => {
      const faults = readLinks(page).map((link) => findFault(page, link))
      assert.deepEqual(faults.filter(Boolean), [])
    })
  }

  it('can be reached from the README, page by page', () => {
    const reached = new Set(['README.md'])
    for (const file of reached) {
      const links = readLinks(readPage(file)).map((link) => link.split('#')[0] ?? '')
      for (const link of links.filter((target) => /^(?!http).*\.md$/.test(target))) {
        reached.add(path.join(path.dirname(file), link))
      }
    }
    assert.deepEqual(
      pages.map(({ file }) => file).filter((file) => !reached.has(file)),
      [],
    )
  })

  it('is short, page by page', () => {
    const long = pages.filter(({ file, lines }) => {
      if (REFERENCES.includes(file)) return false
      return lines.length > (file === 'README.md' ? MAX_README_LINES : MAX_PAGE_LINES)
    })
    assert.deepEqual(
      long.map(({ file, lines }) => `${file}: ${lines.length} lines`),
      [],
    )
  })

  it('names only commands that exist', () => {
    const { scripts, bin, devDependencies } = JSON.parse(
      readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
    )
    const shell = pages.flatMap(({ blocks, prose }) => [
      prose,
      ...blocks.filter(({ language }) => /^(sh|bash)$/.test(language)).map(({ code }) => code),
    ])
    const find = (pattern: RegExp) =>
      shell.flatMap((text) => Array.from(text.matchAll(pattern), ([, name = '']) => name))
    const isKnown = (name: string) => name in bin || name in devDependencies
    assert.deepEqual(
      find(/\bnpm run (?:--\w+ )?([\w:-]+)/g).filter((name) => !(name in scripts)),
      [],
    )
    assert.deepEqual(
      find(/\bnpx ([a-z@][\w@/-]*)/g).filter((name) => !isKnown(name) && name !== 'tsc'),
      [],
    )
  })
})
