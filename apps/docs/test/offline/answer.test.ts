import { expect, test } from 'vitest'
import { answer, isAnswered } from '../../src/offline/answer.js'

const SITE = 'http://somewhere/dit/'

/** A cache over a map, as far as answers use one. */
function fakeCache(kept: Readonly<Record<string, string>> = {}) {
  const files = new Map(Object.entries(kept).map(([path, text]) => [SITE + path, text]))
  const urlOf = (request: RequestInfo | URL) => (request instanceof Request ? request.url : String(request))
  const match = async (request: RequestInfo | URL) => {
    const text = files.get(urlOf(request))
    return text === undefined ? undefined : new Response(text)
  }
  const put = async (request: RequestInfo | URL, response: Response) => {
    files.set(urlOf(request), await response.text())
  }
  return { files, cache: { match, put } }
}

const offline = () => Promise.reject(new TypeError('Failed to fetch'))
const online = () => Promise.resolve(new Response('new', { headers: { 'Content-Type': 'text/html' } }))

test('a page comes from the network, is kept, and makes its page isolated', async () => {
  const { files, cache } = fakeCache({ 'playground.html': 'old' })
  const response = await answer(new Request(`${SITE}playground.html`), { cache, load: online, site: SITE })
  expect(await response.text()).toBe('new')
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/html',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
  })
  expect(files.get(`${SITE}playground.html`)).toBe('new')
})

test('without a network it is what was kept, isolated as well, by whatever name the page is asked for', async () => {
  const { cache } = fakeCache({ 'playground.html': 'kept', 'how/index.html': 'how' })
  for (const [path, text] of [
    ['playground.html', 'kept'],
    ['playground', 'kept'],
    ['playground.html?from=mail', 'kept'],
    ['how/', 'how'],
  ]) {
    const response = await answer(new Request(SITE + path), { cache, load: offline, site: SITE })
    expect(await response.text(), path).toBe(text)
    expect(response.headers.get('Cross-Origin-Embedder-Policy')).toBe('require-corp')
  }
  const missing = answer(new Request(`${SITE}errors.html`), { cache, load: offline, site: SITE })
  await expect(missing).rejects.toThrow('Failed to fetch')
})

test('a file with a digest in its name is taken as it was kept, and else fetched and kept', async () => {
  const { files, cache } = fakeCache({ 'assets/app.1a2b.js': 'kept' })
  const ask = async (path: string) =>
    (await answer(new Request(SITE + path), { cache, load: online, site: SITE })).text()
  expect(await ask('assets/app.1a2b.js')).toBe('kept')
  expect(await ask('assets/app.3c4d.js')).toBe('new')
  expect(files.get(`${SITE}assets/app.3c4d.js`)).toBe('new')
})

test('an error of the server is passed on, and not kept', async () => {
  const { files, cache } = fakeCache({ 'playground.html': 'kept' })
  const load = () => Promise.resolve(new Response('gone', { status: 404 }))
  const response = await answer(new Request(`${SITE}playground.html`), { cache, load, site: SITE })
  expect([response.status, await response.text()]).toEqual([404, 'gone'])
  expect(files.get(`${SITE}playground.html`)).toBe('kept')
})

test('a full storage costs no answer, and a status without a body passes', async () => {
  const { cache } = fakeCache()
  const full = { ...cache, put: () => Promise.reject(new DOMException('full', 'QuotaExceededError')) }
  const response = await answer(new Request(`${SITE}errors.html`), { cache: full, load: online, site: SITE })
  expect(await response.text()).toBe('new')
  const load = () => Promise.resolve(new Response(null, { status: 204 }))
  expect((await answer(new Request(`${SITE}x`), { cache, load, site: SITE })).status).toBe(204)
})

test('it answers for files of the site only, and neither for weights nor for parts', () => {
  const asked = (url: string, options?: RequestInit) => isAnswered(new Request(url, options), SITE)
  expect(asked(`${SITE}how/`)).toBe(true)
  expect(asked(`${SITE}models/index.json`)).toBe(true)
  expect(asked(`${SITE}models/heroes-1a.safetensors`)).toBe(false)
  expect(asked('http://somewhere/else.html')).toBe(false)
  expect(asked(`${SITE}how/`, { method: 'POST' })).toBe(false)
  expect(asked(`${SITE}assets/a.js`, { headers: { Range: 'bytes=0-1' } })).toBe(false)
})
