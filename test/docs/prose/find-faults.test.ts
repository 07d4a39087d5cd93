import assert from 'node:assert/strict'
import { findFaults } from './find-faults.js'

describe('the prose linter', () => {
  it('names the line of a word to avoid, and what to write instead', () => {
    assert.deepEqual(findFaults('a.md', '# Title\n\nWe shall\nutilize it.\n'), [
      'a.md:3: "shall": write will',
      'a.md:4: "utilize": write use',
    ])
  })

  it('finds every occurrence', () => {
    assert.equal(findFaults('a.md', 'Please. Please. PLEASE.').length, 3)
  })

  it('ignores code, quotations and comments in Markdown', () => {
    const text = 'The word `shall`, or "shall".\n\n```js\n// shall\n```\n\n<!-- shall -->\n'
    assert.deepEqual(findFaults('a.md', text), [])
  })

  it('reads only the comments of source code', () => {
    const code = [
      'const shall = 1 // shall',
      "const url = 'http://shall.example/shall'",
      '/**',
      ' * It shall.',
      ' */',
    ]
    assert.deepEqual(findFaults('a.ts', code.join('\n')), [
      'a.ts:1: "shall": write will',
      'a.ts:4: "shall": write will',
    ])
  })

  it('names a long sentence of Markdown, but not a table, a list or many short sentences', () => {
    const words = (count: number) => 'word '.repeat(count).trim()
    assert.match(
      findFaults('a.md', `Short.\n\n${words(39)}.`).join(),
      /^a\.md:3: a long sentence: "word/,
    )
    const fine = [
      words(38),
      `| ${words(60)} |`,
      `- ${words(30)}\n- ${words(30)}`,
      `${words(30)}. ${words(30)}.`,
    ]
    assert.deepEqual(findFaults('a.md', fine.join('\n\n')), [])
  })
})
