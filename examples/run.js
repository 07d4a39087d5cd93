// npm run example NAME: runs examples/NAME/server.js, .ts or .tsx
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'

const [name] = process.argv.slice(2)
const entries = new Map(
  readdirSync(import.meta.dirname).flatMap((folder) =>
    ['js', 'ts', 'tsx']
      .map((extension) => new URL(`${folder}/server.${extension}`, import.meta.url))
      .filter((url) => existsSync(url))
      .map((url) => [folder, url.href]),
  ),
)
const entry = entries.get(name)

if (entry) {
  register({ tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)) })
  await import(entry)
} else {
  console.error(
    `Usage: npm run example NAME, where NAME is one of\n  ${[...entries.keys()].join('\n  ')}`,
  )
  process.exitCode = 1
}
