import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { OfflineList } from '../offline/offline-list.js'
import { SERVICE_WORKER } from '../site/service-worker-chunk.js'

/**
 * Puts the list of what is kept for offline use in front of the service worker of a finished site: the pages that compute, and all
 * that their scripts may load. Other pages are kept as they are visited.
 *
 * @throws Error where the service worker imports something, and so would not start as a plain script
 */
export function writeOffline(site: string): OfflineList {
  const path = join(site, SERVICE_WORKER)
  const script = readFileSync(path, 'utf8')
  if (/^\s*(?:import|export)\b|[;}]\s*(?:import|export)\s*[{*"']/m.test(script)) {
    throw new Error(`writeOffline: ${SERVICE_WORKER} must import and export nothing`)
  }
  const files = offlineFiles(site)
  const digest = createHash('sha256').update(script)
  for (const file of files) digest.update(file).update(readFileSync(join(site, file)))
  const list: OfflineList = { version: digest.digest('hex').slice(0, 12), files }
  writeFileSync(path, `globalThis.ditOffline=${JSON.stringify(list)};\n${script}`)
  return list
}

/** The pages that work without a network from the first visit of the playground on. */
const PAGES = ['playground', 'train']

/** The files of these pages: all scripts and styles but those of other pages and of the search. */
export function offlineFiles(site: string): string[] {
  const assets = readdirSync(join(site, 'assets'), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:js|css|wasm)$/.test(entry.name))
    .filter(({ name }) => !name.includes('.md.') || PAGES.some((page) => name.startsWith(`${page}.md.`)))
    .filter(({ name }) => !name.includes('localSearchIndex'))
    .map((entry) => relative(site, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
  const pages = PAGES.map((page) => `${page}.html`)
  return [...pages, 'models/index.json', 'hashmap.json', 'vp-icons.css', ...assets.toSorted()]
}
