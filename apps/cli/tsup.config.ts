import { defineConfig } from 'tsup'

// Everything from node_modules stays external: bundling @dit/* or tfjs would double the state behind useBackend
// and break the locations of worker and WASM files.
export default defineConfig({
  entry: ['src/main.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  clean: true,
  skipNodeModulesBundle: true,
})
