import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

// Tests run on the sources of every package: no build in between, and stack traces point into src/.
const conditions = ['@dit/source', 'module', 'node', 'import', 'default']

/** `npm run test:all` sets it: the quick tier leaves out what repeats a claim or takes long. */
const isWhole = process.env['DIT_TESTS'] === 'all'

const members = ['packages', 'apps'].flatMap((group) =>
  readdirSync(group).map((name) => ({ name: `@dit/${name}`, root: `./${group}/${name}` })),
)

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 60_000,
    // One project a package, and `repository` for what holds across them.
    projects: [...members, { name: 'repository', root: '.' }].map((project) => ({
      extends: true,
      test: {
        ...project,
        include: ['test/**/*.test.ts'],
        exclude: isWhole ? [] : ['**/*.whole.test.ts'],
        ...(process.env.ISO ? { isolate: false } : {}),
      },
    })),
  },
})
