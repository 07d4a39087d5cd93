import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import path from 'node:path'
import { createTemporaryFolder, packTarball, ROOT, run } from './tarball.js'

const COMPILERS = { 'TypeScript 5': 'typescript5', 'TypeScript 7': 'typescript' }
type Compiler = keyof typeof COMPILERS

/** A `tsconfig.*.json` of an app, its compilers, and the compiled scripts to run. */
interface Project {
  readonly name: string
  readonly compilers: readonly Compiler[]
  readonly scripts: readonly string[]
}

interface InstalledApp {
  readonly name: string
  /** Below `apps`. */
  readonly folder: string
  /** Packages that are installed with this one. */
  readonly install: readonly string[]
  /** Packages, including types, that must not be needed. */
  readonly without: readonly string[]
  readonly scripts: readonly string[]
  readonly projects: readonly Project[]
}

const ALL_COMPILERS: readonly Compiler[] = ['TypeScript 5', 'TypeScript 7']
/** TypeScript 5, which most users have, is much slower, so one project per framework has it. */
const NEWEST_COMPILER: readonly Compiler[] = ['TypeScript 7']

const EXPRESS = ['express', '@types/express', '@types/express-serve-static-core']
const KOA = ['koa', '@types/koa']

const SCRIPTS = ['site.js', 'site.cjs']

const createNodenextProject = (compilers: readonly Compiler[]): Project => ({
  name: 'nodenext',
  compilers,
  scripts: ['out/nodenext/site.js', 'out/nodenext/site.cjs'],
})

const BUNDLER: Project = {
  name: 'bundler',
  compilers: NEWEST_COMPILER,
  scripts: ['out/bundler/site.js'],
}

/** The newest and the oldest supported version of each framework. */
const APPS: readonly InstalledApp[] = [
  {
    name: 'Express 5',
    folder: 'express',
    install: ['express@5', '@types/express@5'],
    without: KOA,
    scripts: SCRIPTS,
    projects: [createNodenextProject(ALL_COMPILERS), BUNDLER],
  },
  {
    name: 'Express 4.16',
    folder: 'express',
    install: ['express@~4.16.0', '@types/express@4'],
    without: KOA,
    scripts: SCRIPTS,
    projects: [createNodenextProject(NEWEST_COMPILER)],
  },
  {
    name: 'Koa 3',
    folder: 'koa',
    // Koa's types depend on Express's. With linked packages, as with pnpm, each package sees only its
    // own dependencies, so this package cannot see Express's types.
    install: ['koa@3', '@types/koa@3', '--install-strategy=linked'],
    without: EXPRESS,
    scripts: SCRIPTS,
    projects: [
      createNodenextProject(ALL_COMPILERS),
      BUNDLER,
      { name: 'entry-alone', compilers: NEWEST_COMPILER, scripts: [] },
    ],
  },
  {
    name: 'Koa 2.15',
    folder: 'koa',
    install: ['koa@~2.15.0', '@types/koa@2'],
    without: ['express'],
    scripts: SCRIPTS,
    projects: [createNodenextProject(NEWEST_COMPILER)],
  },
  {
    name: 'Fastify 5.0',
    folder: 'fastify',
    install: ['fastify@~5.0.0'],
    without: [...EXPRESS, ...KOA],
    scripts: SCRIPTS,
    projects: [{ name: 'nodenext', compilers: NEWEST_COMPILER, scripts: [] }],
  },
  {
    name: 'no framework',
    folder: 'http',
    install: ['@opentelemetry/api@1.9.0'],
    without: [...EXPRESS, ...KOA],
    scripts: [],
    projects: [{ name: 'nodenext', compilers: NEWEST_COMPILER, scripts: ['out/nodenext/site.js'] }],
  },
]

const COUNTED = 'page\nENS 1\nClosient 1\n'

describe('the published package, installed', function () {
  this.timeout(120_000)

  const folders = new Map<string, string>()

  // All at once: an installation mostly waits for the registry and the disk.
  before(async () => {
    await Promise.all(APPS.map(async (app) => folders.set(app.name, await install(app))))
  })

  for (const app of APPS) {
    describe(`with ${app.name}`, () => {
      let folder: string

      before(() => {
        folder = folders.get(app.name) ?? ''
      })

      it(`does not need ${app.without.join(', ')}`, () => {
        const isInstalled = (name: string) => existsSync(path.join(folder, 'node_modules', name))
        assert.deepEqual(app.without.filter(isInstalled), [])
      })

      it('has the command ad-impressions', async () => {
        const command = path.join(folder, 'node_modules/.bin/ad-impressions')
        assert.match(await run(command, ['--help'], folder), /ad-impressions sandbox/)
        assert.match(await run(command, ['--version'], folder), /^\d+\.\d+\.\d+/)
      })

      for (const script of app.scripts) {
        it(`sends a page's impressions to both networks, from ${script}`, async () => {
          assert.equal(await run(process.execPath, [script], folder), COUNTED)
        })
      }

      for (const project of app.projects) {
        for (const compiler of project.compilers) {
          it(`compiles as ${project.name} with ${compiler}, with only the expected errors`, async () => {
            await compile(compiler, project, folder)
          })
        }
        for (const script of project.scripts) {
          it(`sends a page's impressions to both networks, from ${script}`, async () => {
            assert.equal(await run(process.execPath, [script], folder), COUNTED)
          })
        }
      }
    })
  }
})

/** Copies the app to a temporary folder and installs the package's tarball there. */
async function install(app: InstalledApp): Promise<string> {
  const folder = await createTemporaryFolder()
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
