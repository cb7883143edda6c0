import { reference } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { DamagedCheckpointError, memoryRunStore, type RunStore, train, type TrainOptions } from '../src/index.js'
import { losses, run, stoppingAfter, tinyData, tinyObjective, tinyRecipe } from './setting.js'

const base: TrainOptions = {
  objective: tinyObjective,
  recipe: tinyRecipe,
  data: tinyData(),
  backend: reference(),
  seed: 3,
  steps: 8,
  checkpoint: { every: 2, keepLast: 10 },
}
const last = 'checkpoints/step-0000008'

async function contents(store: RunStore): Promise<Record<string, string>> {
  const names = [...(await store.list(last)).map((name) => `${last}/${name}`), 'log.jsonl']
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await store.inspect(name))!.sha256])))
}

async function unbroken(): Promise<Record<string, string>> {
  const store = memoryRunStore()
  await run({ ...base, store })
  return contents(store)
}

describe('a run that is resumed ends in the bytes of an unbroken one', () => {
  test.each([1, 3, 4, 7])('after a stop in step %i', async (step) => {
    const store = memoryRunStore()
    await run({ ...base, store, ...stoppingAfter(step) })
    await run({ ...base, store })
    expect(await contents(store)).toEqual(await unbroken())
  })

  test('after it died between checkpoints, with half a line in its log', async () => {
    const store = memoryRunStore()
    for await (const event of train({ ...base, store })) if (event.type === 'step' && event.record.step === 5) break
    await store.append('log.jsonl', '{"step":6,"loss":0.')
    const events = await run({ ...base, store })
    expect(events[0]).toMatchObject({ step: 4, resumedFrom: 'checkpoints/step-0000004', notices: [] })
    expect(await contents(store)).toEqual(await unbroken())
  })

  test('after it died while it wrote a checkpoint', async () => {
    const files = new Map<string, Uint8Array>()
    const store = memoryRunStore(files)
    const dying: RunStore = {
      ...store,
      async writeTensors(path, tensors, metadata) {
        if (path.startsWith('checkpoints/step-0000006/optimizer')) throw new Error('power cut')
        return store.writeTensors(path, tensors, metadata)
      },
    }
    await expect(run({ ...base, store: dying })).rejects.toThrow('power cut')
    expect(files.has('checkpoints/step-0000006/model.safetensors')).toBe(true)
    expect((await run({ ...base, store }))[0]).toMatchObject({
      step: 4,
      notices: [expect.stringContaining('checkpoints/step-0000006 is incomplete')],
    })
    expect(await contents(store)).toEqual(await unbroken())
  })

  test('with the sample grid that was lost to a stop, but not one that was made', async () => {
    const made: number[] = []
    const sample = { every: 4, run: async ({ step }: { step: number }) => void made.push(step) }
    const store = memoryRunStore()
    for await (const event of train({ ...base, store, sample }))
      if (event.type === 'checkpoint' && event.step === 4) break
    expect(made).toEqual([])
    await run({ ...base, store, sample })
    expect(made).toEqual([4, 8])
    await run({ ...base, store, sample: { ...sample, isMade: async () => true } })
    expect(made).toEqual([4, 8])
  })

  test('also when it is finished already', async () => {
    const store = memoryRunStore()
    await run({ ...base, store })
    const events = await run({ ...base, store })
    expect(events.map(({ type }) => type)).toEqual(['start', 'end'])
    expect(await contents(store)).toEqual(await unbroken())
  })
})

describe('damage to the newest checkpoint', () => {
  const damages: [string, (files: Map<string, Uint8Array>) => void, string][] = [
    ['a truncated file', cut('model.safetensors'), 'model.safetensors has'],
    ['a missing file', remove('ema.safetensors'), 'ema.safetensors is missing'],
    ['a flipped bit', flip('optimizer.safetensors'), 'optimizer.safetensors does not match its checksum'],
    ['a manifest that is no JSON', cut('manifest.json'), 'manifest.json is not valid JSON'],
  ]

  test.each(damages)('%s makes the previous one be used, and says so', async (_, damage, text) => {
    const files = new Map<string, Uint8Array>()
    const store = memoryRunStore(files)
    await run({ ...base, store })
    const whole = await contents(store)
    damage(files)
    const events = await run({ ...base, store })
    expect(events[0]).toMatchObject({
      step: 6,
      resumedFrom: 'checkpoints/step-0000006',
      notices: [expect.stringContaining(`${last} is damaged (${text}`)],
    })
    expect(losses(events)).toHaveLength(2)
    expect(await contents(store)).toEqual(whole)
  })

  test.each<[string, (bytes: Uint8Array) => string]>([
    ['null', () => 'null'],
    ['a list of nothing', () => '{"format":"dit-checkpoint-1","files":{"model.safetensors":null}}'],
  ])('a manifest that holds %s is damage like any other', async (_, contents) => {
    const files = new Map<string, Uint8Array>()
    const store = memoryRunStore(files)
    await run({ ...base, store })
    await store.write(`${last}/manifest.json`, contents(files.get(`${last}/manifest.json`)!))
    const [start] = await run({ ...base, store })
    expect(start).toMatchObject({ step: 6, notices: [expect.stringContaining(`${last} is damaged (manifest.json`)] })
  })

  test('a missing manifest makes the previous checkpoint be used, and says so', async () => {
    const files = new Map<string, Uint8Array>()
    const store = memoryRunStore(files)
    await run({ ...base, store })
    remove('manifest.json')(files)
    expect((await run({ ...base, store }))[0]).toMatchObject({
      step: 6,
      notices: [`${last} is incomplete (it has no manifest.json); an earlier checkpoint is used instead`],
    })
  })

  test('counters that cannot be are damage, also under a right checksum', async () => {
    for (const change of [
      { logBytes: -1 },
      { step: 9 },
      { objective: 7 },
      { objectiveState: undefined },
      { format: 'zzz' },
      { seed: null },
    ]) {
      const store = memoryRunStore()
      await run({ ...base, store })
      const state = JSON.parse(new TextDecoder().decode((await store.read(`${last}/state.json`))!))
      const record = await store.write(`${last}/state.json`, JSON.stringify({ ...state, ...change }))
      const manifest = JSON.parse(new TextDecoder().decode((await store.read(`${last}/manifest.json`))!))
      manifest.files['state.json'] = record
      await store.write(`${last}/manifest.json`, JSON.stringify(manifest))
      expect((await run({ ...base, store }))[0]).toMatchObject({
        step: 6,
        notices: [expect.stringContaining(`${last} is damaged (state.json`)],
      })
    }
  })

  test('a lost log is refused, and goes on with a notice where that is allowed', async () => {
    const files = new Map<string, Uint8Array>()
    const store = memoryRunStore(files)
    await run({ ...base, store, ...stoppingAfter(3) })
    files.delete('log.jsonl')
    await expect(run({ ...base, store })).rejects.toThrow(/log\.jsonl has 0 bytes.*--allow-inexact/)
    const [start] = await run({ ...base, store, allowInexact: true })
    expect(start).toMatchObject({ step: 3, notices: [expect.stringContaining('resumed inexactly: log.jsonl has 0')] })
  })

  test('of every checkpoint is an error that names them', async () => {
    const files = new Map<string, Uint8Array>()
    const store = memoryRunStore(files)
    await run({ ...base, store, checkpoint: { every: 4 } })
    for (const name of files.keys()) if (name.endsWith('ema.safetensors')) files.delete(name)
    const promise = run({ ...base, store })
    await expect(promise).rejects.toThrow(DamagedCheckpointError)
    await expect(promise).rejects.toThrow(
      'memory: no checkpoint is complete: checkpoints/step-0000008 is damaged (ema.safetensors is missing); checkpoints/step-0000004',
    )
  })
})

describe('old checkpoints', () => {
  test('are removed but for the newest and every n-th', async () => {
    const store = memoryRunStore()
    await run({ ...base, store, checkpoint: { every: 1, keepLast: 2, keepEvery: 3 } })
    expect(await store.list('checkpoints')).toEqual(['step-0000003', 'step-0000006', 'step-0000007', 'step-0000008'])
  })
})

function cut(name: string) {
  return (files: Map<string, Uint8Array>) => files.set(`${last}/${name}`, files.get(`${last}/${name}`)!.slice(0, -7))
}

function remove(name: string) {
  return (files: Map<string, Uint8Array>) => files.delete(`${last}/${name}`)
}

function flip(name: string) {
  return (files: Map<string, Uint8Array>) => {
    const bytes = files.get(`${last}/${name}`)!.slice()
    bytes[bytes.length - 5] ^= 4
    files.set(`${last}/${name}`, bytes)
  }
}
