import assert from 'node:assert/strict'
import { type Page, readPage, readPages } from './markdown.js'

/** Words that a reader has to decode, and what to write instead. */
const WORDS: readonly [pattern: RegExp, instead: string][] = [
  [/\bmend(s|ed|ing)?\b/i, 'fix'],
  [/\bshall\b/i, 'will'],
  [/\bbe (it|they)\b/i, 'whether'],
  [/\bfor all that\b/i, 'although'],
  [/\bby which\b/i, 'with which'],
  [/\b(is|are|was|were|be) told of\b/i, 'hears about'],
  [/\bthe word of\b/i, 'what … says'],
  [/\bthe browser's half\b/i, 'the client script'],
  [/\brobots?\b/i, 'bot'],
  [/\btaken for\b/i, 'mistaken for'],
  [/\bwhence\b|\bthereof\b|\bwhereof\b|\bhereby\b|\bupon\b|\bnought\b|\bere\b/i, 'the usual word'],
  [/\b(please|simply|obviously|of course)\b/i, 'nothing'],
  [/\butili[sz]e/i, 'use'],
  [/\bin order to\b/i, 'to'],
  [/\bprior to\b/i, 'before'],
]

const pages = [...readPages(), readPage('ARCHITECTURE.md'), readPage('CHANGELOG.md')]

function findFaults({ file, prose }: Page): string[] {
  const text = prose.replace(/`[^`\n]*`|"[^"\n]*"/g, '')
  return WORDS.flatMap(([pattern, instead]) => {
    const found = pattern.exec(text)?.[0]
    return found === undefined ? [] : [`${file}: "${found}": write ${instead}`]
  })
}

describe('the language of the documentation', () => {
  it('has no words that readers have to decode', () => {
    assert.deepEqual(pages.flatMap(findFaults), [])
  })

  it('has no sentence that is long', () => {
    const MAX_WORDS = 38
    const long = pages.flatMap(({ file, prose }) =>
      prose
        .split(/\n\n|\n(?=[-*|#\d])|[.:;?!](?=\s)/)
        .filter((sentence) => !sentence.trim().startsWith('|'))
        .filter((sentence) => sentence.trim().split(/\s+/).length > MAX_WORDS)
        .map((sentence) => `${file}: ${sentence.trim().slice(0, 80)}`),
    )
    assert.deepEqual(long, [])
  })
})
