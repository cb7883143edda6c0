import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reference } from '@dit/tensor'
import { expect, onTestFinished, test } from 'vitest'
import {
  findCheckpoint,
  memoryRunStore,
  type RunStore,
  train,
  type TrainEvent,
  type TrainOptions,
} from '../src/index.js'
import { folderRunStore } from '../src/node/index.js'
import { run, tinyData, tinyObjective, tinyRecipe } from './setting.js'

const base: TrainOptions = {
  objective: tinyObjective,
  recipe: tinyRecipe,
  data: tinyData(),
  backend: reference(),
  seed: 3,
  steps: 8,
  checkpoint: { every: 2, keepLast: 10 },
}

const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })

/** A disk that is full from step 4's checkpoint to the log of step 7: what it takes before it fails is half of a text. */
function fullFor(store: RunStore): { store: RunStore; now(isFull: boolean): void } {
  let isFull = false
  const unless = async <T>(work: () => Promise<T>) => {
    if (isFull) throw full
    return work()
  }
  const limited: RunStore = {
    ...store,
    write: (path, contents) => unless(() => store.write(path, contents)),
    writeTensors: (path, tensors, metadata) => unless(() => store.writeTensors(path, tensors, metadata)),
    async append(path, text) {
      if (isFull) await store.append(path, text.slice(0, text.length / 2))
      return unless(() => store.append(path, text))
    },
  }
  return { store: limited, now: (value) => void (isFull = value) }
}

/** Events of a run that a full disk troubles in steps 4 to 7. */
async function troubled(options: TrainOptions): Promise<TrainEvent[]> {
  const disk = fullFor(options.store!)
  const events: TrainEvent[] = []
  for await (const event of train({ ...options, store: disk.store })) {
    events.push(event)
    if (event.type === 'step' && event.record.step === 4) disk.now(true)
    if (event.type === 'step' && event.record.step === 7) disk.now(false)
  }
  return events
}

async function hashes(store: RunStore): Promise<unknown[]> {
  const last = 'checkpoints/step-0000008'
  const files = ['model', 'ema', 'optimizer'].map((name) => `${last}/${name}.safetensors`)
  return Promise.all([...files, 'log.jsonl'].map(async (path) => (await store.inspect(path))!.sha256))
}

async function unbroken(): Promise<unknown[]> {
  const store = memoryRunStore()
  await run({ ...base, store })
  return hashes(store)
}

test('a full disk stops the run, and the earlier checkpoint goes on to the same bytes', async () => {
  const store = memoryRunStore()
  await expect(troubled({ ...base, store })).rejects.toThrow('ENOSPC')
  expect(await findCheckpoint(store)).toMatchObject({ step: 2 })
  await run({ ...base, store })
  expect(await hashes(store)).toEqual(await unbroken())
})

test('a run that shall go on does so, tells of it, and loses nothing once there is space', async () => {
  const store = memoryRunStore()
  const events = await troubled({ ...base, store, onSaveError: 'continue' })
  const failed = events.flatMap((event) => (event.type === 'save-failed' ? [[event.what, event.step]] : []))
  expect(failed).toEqual([
    ['checkpoint', 4],
    ['log', 5],
    ['log', 6],
    ['checkpoint', 6],
    ['log', 7],
  ])
  expect(await hashes(store)).toEqual(await unbroken())
})

test('a folder that vanishes is not begun anew, and is used again when it is back', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'dit-vanish-'))
  onTestFinished(() => rmSync(parent, { recursive: true }))
  const [folder, away] = [join(parent, 'run'), join(parent, 'away')]
  const store = folderRunStore(folder)
  const steps: number[] = []
  for await (const event of train({ ...base, store, onSaveError: 'continue' })) {
    if (event.type === 'save-failed') steps.push(event.step)
    if (event.type === 'step' && event.record.step === 3) renameSync(folder, away)
    if (event.type === 'step' && event.record.step === 6) renameSync(away, folder)
  }
  expect(steps).toEqual([4, 4, 5, 6])
  expect(await hashes(store)).toEqual(await unbroken())
})
