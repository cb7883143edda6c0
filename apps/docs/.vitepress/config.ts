import temml from 'temml'
import { defineConfig } from 'vitepress'
import { mathRules } from '../src/site/math.js'
import { navigation, sidebars } from '../src/site/navigation.js'
import { serviceWorkerChunk } from '../src/site/service-worker-chunk.js'
import { sourceAddresses } from '../src/site/source-addresses.js'

// Tests and pages read the sources of all packages, so the site needs no build of theirs.
const conditions = ['@dit/source', 'module', 'browser', 'import', 'default']

export default defineConfig({
  lang: 'en',
  title: 'dit',
  description: 'Diffusion Transformers for TypeScript: train, sample and understand them, in Node and in the page.',
  srcDir: './dist/pages',
  // Copied files of the repository are served as they are, texts among them.
  srcExclude: ['public/**'],
  cacheDir: './dist/cache',
  cleanUrls: false,
  lastUpdated: false,
  // Files of the repository that are copied beside the pages: src/build/check-links.ts looks for them.
  ignoreDeadLinks: [/^\/files\//],
  head: [['meta', { name: 'color-scheme', content: 'light dark' }]],
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (md) => mathRules(md, (tex, isDisplay) => temml.renderToString(tex, { displayMode: isDisplay })),
  },
  themeConfig: {
    nav: navigation,
    sidebar: sidebars(),
    outline: [2, 3],
    search: { provider: 'local' },
    externalLinkIcon: true,
    docFooter: { prev: 'Before', next: 'Next' },
    footer: { message: 'MIT licence' },
  },
  vite: {
    resolve: { conditions },
    ssr: { resolve: { conditions }, noExternal: [/^@dit\//] },
    plugins: [sourceAddresses, serviceWorkerChunk],
    // Engines, readers and solvers stay files of their own, which load when they are used.
    worker: { format: 'es', plugins: () => [sourceAddresses] },
    build: { chunkSizeWarningLimit: 4000 },
  },
})
