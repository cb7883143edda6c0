import { heroes } from '@dit/pretrained'
import { expect, test } from 'vitest'
import { dropOldWeights, listModels } from '../../src/playground/models.js'

const answer =
  (body: unknown, status = 200) =>
  () =>
    Promise.resolve(new Response(JSON.stringify(body), { status }))

test('offers the models that are listed and known, with their usual sampling and their address', async () => {
  const models = [
    { name: 'strangers', file: 'strangers-0.safetensors', bytes: 1 },
    { name: 'heroes', file: 'heroes-1a2b.safetensors', bytes: 5 },
  ]
  expect(await listModels('http://somewhere/dit/models/', answer({ models }))).toEqual([
    {
      name: 'heroes',
      title: 'Heroes',
      address: 'http://somewhere/dit/models/heroes-1a2b.safetensors',
      bytes: 5,
      sampling: heroes.sampling,
      ground: [71, 68, 92],
    },
  ])
  expect(await listModels('http://somewhere/models/', answer({ models: [] }))).toEqual([])
})

test('says what the list was answered with', async () => {
  await expect(listModels('http://somewhere/models/', answer({}, 404))).rejects.toThrow(
    'http://somewhere/models/index.json gave 404',
  )
})

test('weights of earlier versions of the site are dropped, and nothing else', async () => {
  const folder = 'http://somewhere/dit/models/'
  const kept = [`${folder}heroes-1a2b.safetensors`, 'http://somewhere/else/heroes-0.safetensors']
  const urls = new Set([`${folder}heroes-0000.safetensors`, ...kept])
  const cache = {
    keys: () => Promise.resolve([...urls].map((url) => new Request(url))),
    delete: ({ url }: Request) => Promise.resolve(urls.delete(url)),
  } as unknown as Cache
  const models = await listModels(
    folder,
    answer({ models: [{ name: 'heroes', file: 'heroes-1a2b.safetensors', bytes: 5 }] }),
  )
  const storage = (isThere: boolean) => ({ has: () => Promise.resolve(isThere), open: () => Promise.resolve(cache) })
  await dropOldWeights(folder, models, storage(false))
  await dropOldWeights(folder, models, undefined)
  expect(urls.size).toBe(3)
  await dropOldWeights(folder, models, storage(true))
  expect([...urls]).toEqual(kept)
})
