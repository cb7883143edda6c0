import { defineConfig } from 'tsup'

// The program of the Worker, with all that it needs: import maps do not reach into workers, so that a page without a bundler
// could not resolve names there. Engines, solvers and readers stay files of their own, which load when they are used.
export default defineConfig({
  entry: ['src/worker/pipeline-worker.ts'],
  outDir: 'dist/pipeline-worker',
  format: 'esm',
  platform: 'browser',
  target: 'es2023',
  splitting: true,
  minify: true,
  clean: true,
  noExternal: [/^@dit\//],
})
