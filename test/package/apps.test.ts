import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import path from 'node:path'
import { packTarball, ROOT, run, temporaryFolder } from './tarball.js'

const COMPILERS = { 'TypeScript 5': 'typescript5', 'TypeScript 7': 'typescript' }
type Compiler = keyof typeof COMPILERS

/** A `tsconfig.*.json` of an app, what compiles it, and what of its output is then run. */
interface Project {
  readonly name: string
  readonly compilers: readonly Compiler[]
  readonly scripts: readonly string[]
}

interface App {
  readonly name: string
  /** Below `apps`. */
  readonly folder: string
  /** What is installed beside this package. */
  readonly install: readonly string[]
  /** What this package must do without, types included. */
  readonly without: readonly string[]
  readonly scripts: readonly string[]
  readonly projects: readonly Project[]
}

const BOTH: readonly Compiler[] = ['TypeScript 5', 'TypeScript 7']
/** Most users have TypeScript 5. It takes ten times as long, so that it is spared where 7 will do. */
const NEW_ONE: readonly Compiler[] = ['TypeScript 7']

const EXPRESS = ['express', '@types/express', '@types/express-serve-static-core']
const KOA = ['koa', '@types/koa']

const SCRIPTS = ['site.js', 'site.cjs']

const nodenext = (compilers: readonly Compiler[]): Project => ({
  name: 'nodenext',
  compilers,
  scripts: ['out/nodenext/site.js', 'out/nodenext/site.cjs'],
})

const bundler: Project = { name: 'bundler', compilers: BOTH, scripts: ['out/bundler/site.js'] }

/** The newest of each framework, and the oldest that is supported. */
const APPS: readonly App[] = [
  {
    name: 'Express 5',
    folder: 'express',
    install: ['express@5', '@types/express@5'],
    without: KOA,
    scripts: SCRIPTS,
    projects: [nodenext(BOTH), bundler],
  },
  {
    name: 'Express 4.18',
    folder: 'express',
    install: ['express@~4.18.0', '@types/express@4'],
    without: KOA,
    scripts: SCRIPTS,
    projects: [nodenext(NEW_ONE)],
  },
  {
    name: 'Koa 3',
    folder: 'koa',
    // Koa's types bring Express's along. Linked, each package sees only what it asks for, as with
    // pnpm, so that Express's types are out of this package's sight.
    install: ['koa@3', '@types/koa@3', '--install-strategy=linked'],
    without: EXPRESS,
    scripts: SCRIPTS,
    projects: [nodenext(BOTH), bundler, { name: 'entry-alone', compilers: NEW_ONE, scripts: [] }],
  },
  {
    name: 'Koa 2.15',
    folder: 'koa',
    install: ['koa@~2.15.0', '@types/koa@2'],
    without: ['express'],
    scripts: SCRIPTS,
    projects: [nodenext(NEW_ONE)],
  },
  {
    name: 'no framework',
    folder: 'http',
    install: [],
    without: [...EXPRESS, ...KOA],
    scripts: [],
    projects: [{ name: 'nodenext', compilers: NEW_ONE, scripts: ['out/nodenext/site.js'] }],
  },
]

const COUNTED = 'page\nENS 1\nClosient 1\n'

describe('the published package, installed', function () {
  this.timeout(120_000)

  for (const app of APPS) {
    describe(`beside ${app.name}`, () => {
      let folder: string

      before(async () => {
        folder = await install(app)
      })

      it(`does without ${app.without.join(', ')}`, () => {
        const present = (name: string) => existsSync(path.join(folder, 'node_modules', name))
        assert.deepEqual(app.without.filter(present), [])
      })

      it('brings the command ad-impressions', async () => {
        const command = path.join(folder, 'node_modules/.bin/ad-impressions')
        assert.match(await run(command, ['--help'], folder), /ad-impressions sandbox/)
      })

      for (const script of app.scripts) {
        it(`tells both networks of a page's impressions, from ${script}`, async () => {
          assert.equal(await run(process.execPath, [script], folder), COUNTED)
        })
      }

      for (const project of app.projects) {
        for (const compiler of project.compilers) {
          it(`compiles as ${project.name} with ${compiler}, but for what must not`, async () => {
            await compile(compiler, project, folder)
          })
        }
        for (const script of project.scripts) {
          it(`tells both networks of a page's impressions, from ${script}`, async () => {
            assert.equal(await run(process.execPath, [script], folder), COUNTED)
          })
        }
      }
    })
  }
})

/** Puts the app in a folder of its own, and installs the package's tarball there. */
async function install(app: App): Promise<string> {
  const folder = await temporaryFolder()
  await cp(path.join(import.meta.dirname, 'apps', app.folder), folder, { recursive: true })
  const { file } = await packTarball()
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock']
  await run('npm', ['install', ...options, file, '@types/node@20', ...app.install], folder)
  return folder
}

function compile(compiler: Compiler, { name }: Project, folder: string): Promise<string> {
  const tsc = path.join(ROOT, 'node_modules', COMPILERS[compiler], 'bin/tsc')
  return run(process.execPath, [tsc, '-p', `tsconfig.${name}.json`], folder)
}
