import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../package/tarball.js'

/** A fenced block of code in a page. */
export interface CodeBlock {
  readonly file: string
  /** `docs/options.md:12`, where the code begins. */
  readonly position: string
  readonly language: string
  readonly code: string
  /** The names in the comment before the block: `<!-- context: app, ad -->`. */
  readonly context: readonly string[]
}

/** A page of the documentation. */
export interface Page {
  /** Relative to the root of the repository. */
  readonly file: string
  readonly lines: readonly string[]
  readonly blocks: readonly CodeBlock[]
  /** The text without code blocks and comments. */
  readonly prose: string
  /** The fragments that links can name: as GitHub makes them from headings, and `<a id>`. */
  readonly anchors: ReadonlySet<string>
}

/** README.md, the pages in docs/, and the documents beside README.md. */
export function readPages(): readonly Page[] {
  const inDocs = readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))
  return [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...inDocs.sort().map((name) => `docs/${name}`),
  ].map(readPage)
}

export function readPage(file: string): Page {
  const text = readFileSync(path.join(ROOT, file), 'utf8')
  const prose = text.replace(FENCED, '').replace(/<!--.*?-->/gs, '')
  return {
    file,
    lines: text.trimEnd().split('\n'),
    blocks: readBlocks(file, text),
    prose,
    anchors: readAnchors(prose),
  }
}

const FENCED = /^( *)```(\w*)\n(.*?)^ *```$/gms
const CONTEXT = /<!-- context: ([\w, ]+) -->\s*$/

function readBlocks(file: string, text: string): CodeBlock[] {
  return Array.from(
    text.matchAll(FENCED),
    ({ index, 1: indent = '', 2: language = '', 3: code = '' }) => {
      const before = text.slice(0, index)
      return {
        file,
        position: `${file}:${before.split('\n').length + 1}`,
        language,
        code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
        context: CONTEXT.exec(before)?.[1]?.split(/, */) ?? [],
      }
    },
  )
}

function readAnchors(prose: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of prose.matchAll(/^#+ (.+)$/gm)) {
    const slug = toSlug(heading)
    let anchor = slug
    for (let copy = 1; anchors.has(anchor); copy += 1) anchor = `${slug}-${copy}`
    anchors.add(anchor)
  }
  for (const [, id = ''] of prose.matchAll(/<a id="([^"]+)">/g)) anchors.add(id)
  return anchors
}

/** GitHub's fragment of a heading. */
function toSlug(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}

/** The targets of a page's links and images: not those that are shown as code. */
export function readLinks({ prose }: Page): string[] {
  const text = prose.replace(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ''))
  return Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
}

/** The cells of each row of a page's tables, the rows of dashes left out. */
export function readTables({ prose }: Page): readonly (readonly string[])[][] {
  const tables = prose.match(/(^\|.*\n?)+/gm) ?? []
  return tables.map((table) =>
    table
      .trimEnd()
      .split('\n')
      .filter((row) => !/^\|[\s|:-]+$/.test(row))
      .map((row) =>
        row
          .replace(/^\||\|$/g, '')
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim().replaceAll('\\|', '|')),
      ),
  )
}
