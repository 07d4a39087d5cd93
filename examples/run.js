// npm run example NAME: runs examples/NAME/server.js, .ts or .tsx. An example with a package.json of
// its own is a recipe: see run-recipe.js.
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'
import { runRecipe } from './run-recipe.js'

const [name, ...args] = process.argv.slice(2)
const entries = new Map(
  readdirSync(import.meta.dirname).flatMap((folder) =>
    ['package.json', 'server.js', 'server.ts', 'server.tsx']
      .map((file) => new URL(`${folder}/${file}`, import.meta.url))
      .filter((url) => existsSync(url))
      .slice(0, 1)
      .map((url) => [folder, url]),
  ),
)
const entry = entries.get(name)

if (!entry) {
  console.error(
    `Usage: npm run example NAME, where NAME is one of\n  ${[...entries.keys()].join('\n  ')}`,
  )
  process.exitCode = 1
} else if (entry.pathname.endsWith('/package.json')) {
  process.exit(await runRecipe(fileURLToPath(new URL('.', entry)), args))
} else {
  register({ tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)) })
  await import(entry.href)
}
