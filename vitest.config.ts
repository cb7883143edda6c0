import { readdirSync } from 'node:fs'
import { configDefaults, defineConfig } from 'vitest/config'
import { TierReporter } from './tools/tests/tier-reporter.js'

// Tests run on the sources of every package: no build in between, and stack traces point into src/.
const conditions = ['@dit/source', 'module', 'node', 'import', 'default']

/** What changes the globals of its process, or holds a device or a library there. */
const ISOLATED: ReadonlySet<string> = new Set([
  '@dit/backend-cpu',
  '@dit/backend-tfjs',
  '@dit/backend-webgpu',
  '@dit/browser',
  '@dit/collectives',
  'repository',
])

const members = ['packages', 'apps'].flatMap((group) =>
  readdirSync(group).map((name) => ({ name: `@dit/${name}`, root: `./${group}/${name}` })),
)

export default defineConfig(({ mode }) => {
  // `npm run test:all` asks for it; otherwise the quick tier runs, without files *.whole.test.ts.
  const isWhole = mode === 'all'
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      // Processes, browsers and software drivers are slow on a busy machine; no test measures these.
      testTimeout: isWhole ? 300_000 : 120_000,
      hookTimeout: 120_000,
      // By default one processor would be left to vitest itself, which is half of a small machine.
      maxWorkers: '100%',
      reporters: ['default', new TierReporter(isWhole)],
      // One project a package, and `repository` for what holds across them.
      projects: [...members, { name: 'repository', root: '.' }].map((project) => ({
        extends: true,
        test: {
          ...project,
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...(isWhole ? [] : ['**/*.whole.test.ts'])],
          // In the quick tier the files of a package share their modules, and so the current backend: it is chosen in
          // one place for each package. With all tests each file begins anew.
          isolate: isWhole || ISOLATED.has(project.name),
        },
      })),
    },
  }
})
