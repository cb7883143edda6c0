import { defineConfig } from 'vite'

// The sources of all packages, without a build.
export default defineConfig({ resolve: { conditions: ['@dit/source', 'module', 'browser', 'import'] } })
