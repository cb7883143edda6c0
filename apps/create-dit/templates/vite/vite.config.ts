import { defineConfig } from 'vite'

// Threads of WebAssembly share memory, which browsers allow only to pages with these headers. The host of the built page
// should send them, too; without them the page computes with one thread.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export default defineConfig({
  base: './', // works from any folder of a site
  appType: 'mpa', // what is missing is an error, not the page again
  server: { headers },
  preview: { headers },
  worker: { format: 'es' },
})
