import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/**
 * Writes docs/api from the docstrings in lib. With `--check`, writes it to a temporary folder instead
 * and fails if docs/api differs. TypeDoc has a lock of its own, because it needs an older TypeScript,
 * and because only this command needs it.
 */

const FOLDER = import.meta.dirname
const PAGES = path.join(FOLDER, '../../../docs/api')

install()
if (process.argv.includes('--check')) check()
else generate(PAGES)

/** Installs what the lock names, unless it is installed. */
function install() {
  const lock = path.join(FOLDER, 'package-lock.json')
  const installed = path.join(FOLDER, 'node_modules/.installed-lock.json')
  if (existsSync(installed) && readFileSync(lock).equals(readFileSync(installed))) return
  if (run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) {
    copyFileSync(lock, installed)
  }
}

function generate(folder) {
  run('npm', ['run', '--silent', 'generate', '--', '--logLevel', 'Warn', '--out', folder])
}

function check() {
  const generated = mkdtempSync(path.join(tmpdir(), 'api-reference-'))
  try {
    generate(generated)
    const isSame = run('diff', ['--recursive', '--unified', PAGES, generated])
    if (!isSame) console.error('docs/api is out of date: npm run api-reference')
  } finally {
    rmSync(generated, { recursive: true })
  }
}

/** Whether the command succeeds. If it fails, so does this program. */
function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: FOLDER, stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
  return status === 0
}
