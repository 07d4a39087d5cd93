// The build runs this after it has compiled the client script. It writes the script as a module that
// exports its text, so that bundlers and file tracing take it along like any other module.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'

const folder = new URL('../../../dist/visibility/client/', import.meta.url)
const script = new URL('client.js', folder)
const text = JSON.stringify(readFileSync(script, 'utf8'))
writeFileSync(new URL('client-script-text.js', folder), `export default ${text}\n`)
rmSync(script)
