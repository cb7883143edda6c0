import { answer, isAnswered } from './answer.js'
import type { OfflineList } from './offline-list.js'

// A script of its own beside the pages, which src/build/write-offline.ts puts the list of files in front of.

interface LastingEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}

interface AskingEvent extends Event {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}

/** What this script uses of a service worker's globals, which the types of pages do not have. */
interface ServiceWorkerScope {
  readonly ditOffline: OfflineList
  readonly registration: { readonly scope: string }
  readonly clients: { claim(): Promise<void> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: LastingEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: AskingEvent) => void): void
}

const scope = globalThis as unknown as ServiceWorkerScope
const { version, files } = scope.ditOffline
const PREFIX = 'dit-site-'
const site = scope.registration.scope

async function install(): Promise<void> {
  const cache = await caches.open(PREFIX + version)
  // Pages may have changed under their name, assets may not.
  const asked = (file: string): RequestInit => (file.startsWith('assets/') ? {} : { cache: 'no-cache' })
  await cache.addAll(files.map((file) => new Request(site + file, asked(file))))
  await scope.skipWaiting()
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== PREFIX + version)
  await Promise.all(old.map((name) => caches.delete(name)))
  await scope.clients.claim()
}

async function respond(request: Request): Promise<Response> {
  return answer(request, { cache: await caches.open(PREFIX + version), load: (asked) => fetch(asked), site })
}

scope.addEventListener('install', (event) => event.waitUntil(install()))
scope.addEventListener('activate', (event) => event.waitUntil(activate()))
scope.addEventListener('fetch', (event) => {
  if (isAnswered(event.request, site)) event.respondWith(respond(event.request))
})
