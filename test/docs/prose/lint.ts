import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findFaults } from './find-faults.js'

/** Prints what is wrong with the language of the documents and of the comments in the code. */

const SOURCES = ['*.md', 'lib/**/*.ts', 'lib/**/*.js', 'examples/**/*.js', 'bench/**/*.ts']
const NOT_PROSE = ['docs/api', 'bench/*.md']

const files = execFileSync(
  'git',
  [
    'ls-files',
    '--cached',
    '--others',
    '--exclude-standard',
    '-z',
    '--',
    ...SOURCES.map((glob) => `:(glob)${glob.startsWith('*') ? `**/${glob}` : glob}`),
    ...NOT_PROSE.map((glob) => `:(exclude)${glob}`),
  ],
  { encoding: 'utf8' },
)
  .split('\0')
  .filter(Boolean)

const faults = files.flatMap((file) => findFaults(file, readFileSync(file, 'utf8')))
for (const fault of faults) console.error(fault)
console.log(`Checked the language of ${files.length} files: ${faults.length} faults`)
if (faults.length > 0) process.exitCode = 1
