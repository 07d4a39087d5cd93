import { WORDS } from './words.js'

/** In words. A longer sentence has to be read twice. */
const MAX_SENTENCE_WORDS = 38

/** What is wrong with a text, each as `file:line: …`. */
export function findFaults(file: string, text: string): string[] {
  if (!file.endsWith('.md')) return findWords(file, keepComments(text))
  const prose = blank(text, /^( *)```\w*\n.*?^ *```$|<!--.*?-->/gms)
  return [...findWords(file, prose), ...findLongSentences(file, prose)]
}

function findWords(file: string, prose: string): string[] {
  const text = blank(prose, /`[^`\n]*`|"[^"\n]*"/g)
  return WORDS.flatMap(([pattern, instead]) =>
    Array.from(text.matchAll(new RegExp(pattern, 'gi')), ({ index, 0: found }) => {
      return `${file}:${countLines(text, index)}: "${found}": write ${instead}`
    }),
  )
}

function findLongSentences(file: string, prose: string): string[] {
  const sentences = prose.matchAll(/(?:(?!\n\n|\n(?=[-*|#\d])|[.:;?!]\s).)+/gs)
  return Array.from(sentences)
    .filter(([sentence]) => !sentence.trim().startsWith('|'))
    .filter(([sentence]) => sentence.trim().split(/\s+/).length > MAX_SENTENCE_WORDS)
    .map(({ index, 0: sentence }) => {
      const start = index + sentence.search(/\S/)
      return `${file}:${countLines(prose, start)}: a long sentence: "${prose.slice(start, start + 60)}…"`
    })
}

/** Comments may be in front of code, but not in a string, such as a URL. */
const COMMENT = /\/\*.*?\*\/|(?<=^|[\s;{}(),])\/\/[^\n]*/gs

/** The comments of source code, at their places. */
function keepComments(code: string): string {
  let end = 0
  let kept = ''
  for (const { index, 0: comment } of code.matchAll(COMMENT)) {
    kept += blankAll(code.slice(end, index)) + comment
    end = index + comment.length
  }
  return kept
}

/** Replaces what matches by spaces, so that the rest stays at its line. */
function blank(text: string, pattern: RegExp): string {
  return text.replace(pattern, blankAll)
}

function blankAll(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}

/** The line of a position, from 1. */
function countLines(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
