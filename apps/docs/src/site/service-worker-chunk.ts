import { fileURLToPath } from 'node:url'

/** The service worker's file, below the site. */
export const SERVICE_WORKER = 'service-worker.js'

const source = fileURLToPath(new URL('../offline/service-worker.ts', import.meta.url))

/**
 * A plugin of Vite that builds the service worker beside the pages, where its scope is the whole site. A chunk without imports and exports
 * is a plain script, too.
 */
export const serviceWorkerChunk = {
  name: 'dit:service-worker',
  apply: (_: unknown, { command, isSsrBuild }: { readonly command: string; readonly isSsrBuild?: boolean }) =>
    command === 'build' && isSsrBuild !== true,
  buildStart(this: {
    emitFile(file: { readonly type: 'chunk'; readonly id: string; readonly fileName: string }): string
  }): void {
    this.emitFile({ type: 'chunk', id: source, fileName: SERVICE_WORKER })
  },
}
