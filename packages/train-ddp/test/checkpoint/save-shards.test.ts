import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openShardsFile } from '@dit/checkpoint/node'
import { reference } from '@dit/tensor'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openPart } from '../../src/checkpoint/open-part.js'
import {
  findCheckpoint,
  findDamage,
  loadCheckpointParams,
  memoryRunStore,
  type RunStore,
  train,
  type TrainEvent,
  type TrainOptions,
} from '../../src/index.js'
import { folderRunStore } from '../../src/node/index.js'
import { localCommunicators } from '../../../../test/support/local-communicators.js'
import { tinyData, tinyObjective, tinyRecipe } from '../setting.js'

const base: Omit<TrainOptions, 'store' | 'communicator'> = {
  objective: tinyObjective,
  recipe: { ...tinyRecipe, batchSize: 6 },
  data: tinyData(6),
  backend: reference(),
  seed: 3,
  steps: 4,
  // Many small buckets, so that every rank has some.
  bucketBytes: 512,
  checkpoint: { every: 2, keepLast: 10 },
}

const last = 'checkpoints/step-0000004'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dit-shards-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Events of each rank, or what it threw. */
async function runRanks(
  workers: number,
  store: (rank: number) => RunStore | undefined,
  options: Partial<TrainOptions> = {},
): Promise<(TrainEvent[] | Error)[]> {
  const one = async (communicator: TrainOptions['communicator'] & object) => {
    const events: TrainEvent[] = []
    try {
      for await (const event of train({ ...base, ...options, communicator, store: store(communicator.rank) }))
        events.push(event)
      return events
    } catch (error) {
      return error as Error
    }
  }
  return Promise.all(localCommunicators(workers).map(one))
}

/** What a rank threw, as text. */
function problemOf(result: TrainEvent[] | Error): string {
  if (!(result instanceof Error)) throw new Error('the rank did not fail')
  return `${result.name}: ${result.message}`
}

function inFolder(folder: string): (rank: number) => RunStore {
  return (rank) => folderRunStore(folder, { isMember: rank > 0 })
}

/** Values of all tensors of a checkpoint, by part and name. */
async function tensorsOf(store: RunStore, path: string): Promise<Record<string, number[]>> {
  const values: Record<string, number[]> = {}
  for (const part of ['model', 'ema', 'optimizer'] as const) {
    const file = await openPart(store, path, part)
    for (const name of [...file.entries.keys()].toSorted()) {
      values[`${part} ${name}`] = [...((await file.tensor(name)).data as Float64Array)]
    }
    await file.close()
  }
  return values
}

describe.each([false, true])('every rank writes its own files; the optimizer in parts: %s', (shardOptimizer) => {
  test('which hold the tensors that rank 0 writes alone', async () => {
    const [folder, alone] = [newFolder(), memoryRunStore()]
    await runRanks(3, inFolder(folder), { shardOptimizer, shardCheckpoint: true })
    await runRanks(3, (rank) => (rank === 0 ? alone : undefined), { shardOptimizer })
    const store = folderRunStore(folder)
    expect(await tensorsOf(store, last)).toEqual(await tensorsOf(alone, last))
    expect(await findDamage(store, 4)).toBeNull()
    const names = readdirSync(join(folder, last)).filter((name) => name.startsWith('ema'))
    expect(names).toEqual(
      [1, 2, 3].map((n) => `ema-0000${n}-of-00003.safetensors`).concat('ema.safetensors.index.json'),
    )
  })

  test('and any number of workers goes on from them', async () => {
    const folder = newFolder()
    await runRanks(3, inFolder(folder), { shardOptimizer, shardCheckpoint: true })
    const before = await tensorsOf(folderRunStore(folder), last)
    for (const [i, workers] of [1, 2, 4].entries()) {
      const results = await runRanks(workers, inFolder(folder), {
        shardOptimizer,
        shardCheckpoint: i > 0,
        steps: 6 + 2 * i,
        allowInexact: true,
      })
      expect(results.filter((result) => result instanceof Error)).toEqual([])
    }
    expect(await tensorsOf(folderRunStore(folder), last)).toEqual(before)
    expect(await findCheckpoint(folderRunStore(folder))).toMatchObject({ step: 10, notices: [] })
  })

  test('also where there are more ranks than buckets', async () => {
    const [folder, alone] = [newFolder(), memoryRunStore()]
    const few = { shardOptimizer, bucketBytes: 2 ** 20 }
    await runRanks(3, inFolder(folder), { ...few, shardCheckpoint: true })
    await runRanks(3, (rank) => (rank === 0 ? alone : undefined), few)
    expect(await tensorsOf(folderRunStore(folder), last)).toEqual(await tensorsOf(alone, last))
    expect(readdirSync(join(folder, last))).toContain('model-00001-of-00001.safetensors')
  })
})

test('the shards are what other programs read by their index', async () => {
  const folder = newFolder()
  await runRanks(2, inFolder(folder), { shardOptimizer: true, shardCheckpoint: true })
  const file = await openShardsFile(join(folder, last, 'ema.safetensors.index.json'))
  const params = await loadCheckpointParams(folderRunStore(folder), last, 'ema', reference())
  for (const [name, value] of Object.entries(params)) {
    expect((await file.tensor(name)).data).toEqual(await value.data())
    value.dispose()
  }
  await file.close()
  const index = JSON.parse(readFileSync(join(folder, last, 'ema.safetensors.index.json'), 'utf8')) as {
    metadata: { total_size: number }
    weight_map: Record<string, string>
  }
  expect(Object.keys(index.weight_map).toSorted()).toEqual(Object.keys(params).toSorted())
  expect(index.metadata.total_size).toBe(8 * Object.values(params).reduce((sum, { size }) => sum + size, 0))
})

test('a damaged shard is found, and the checkpoint before it is used', async () => {
  const folder = newFolder()
  await runRanks(2, inFolder(folder), { shardCheckpoint: true })
  const shard = join(folder, last, 'optimizer-00002-of-00002.safetensors')
  writeFileSync(shard, readFileSync(shard).fill(0, 1000))
  const found = await findCheckpoint(folderRunStore(folder))
  expect(found).toMatchObject({ step: 2 })
  expect(found?.notices[0]).toContain('optimizer-00002-of-00002.safetensors does not match its checksum')
})

const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })

/** A folder whose disk is full for rank 1 at its second file of step 2. */
function fullForOne(folder: string): (rank: number) => RunStore {
  return (rank) => {
    const store = inFolder(folder)(rank)
    if (rank !== 1) return store
    const writeTensors: RunStore['writeTensors'] = async (path, ...rest) => {
      if (path.includes('step-0000002/ema')) throw full
      return store.writeTensors(path, ...rest)
    }
    return { ...store, writeTensors }
  }
}

test.each([false, true])(
  'a rank whose disk is full stops the run, and is named (parts: %s)',
  async (shardOptimizer) => {
    const folder = newFolder()
    const errors = await runRanks(3, fullForOne(folder), { shardOptimizer, shardCheckpoint: true })
    expect(errors.map(problemOf)).toEqual([
      expect.stringMatching(/^CheckpointPartError: .* could be written: rank 1: ENOSPC/),
      expect.stringMatching(/^RankZeroError: .*rank 1: ENOSPC/),
      expect.stringMatching(/^RankZeroError: .*rank 1: ENOSPC/),
    ])
    expect(await findCheckpoint(folderRunStore(folder))).toBeNull()
  },
)

test('a run that shall go on does so, and the next checkpoint is whole', async () => {
  const folder = newFolder()
  const options = { shardOptimizer: true, shardCheckpoint: true, onSaveError: 'continue' } as const
  const [events] = await runRanks(3, fullForOne(folder), options)
  expect((events as TrainEvent[]).filter(({ type }) => type === 'save-failed')).toHaveLength(1)
  expect(await findCheckpoint(folderRunStore(folder))).toMatchObject({ step: 4 })
})

test('a rank that does not see the folder of rank 0 is told so', async () => {
  const [folder, other] = [newFolder(), newFolder()]
  const [apart] = await runRanks(2, (rank) => inFolder(rank === 0 ? folder : other)(rank), { shardCheckpoint: true })
  expect(problemOf(apart)).toMatch(/rank 1: .*is not the folder that rank 0 writes to \(its lock is not there\)/)
  const [unseen] = await runRanks(2, (rank) => (rank === 0 ? folderRunStore(folder) : memoryRunStore()), {
    shardCheckpoint: true,
  })
  expect(problemOf(unseen)).toMatch(/rank 1 has written model-00002-of-00002.safetensors, which rank 0 does not see/)
  const [none] = await runRanks(2, (rank) => (rank === 0 ? folderRunStore(folder) : undefined), {
    shardCheckpoint: true,
  })
  expect(problemOf(none)).toMatch(/shardCheckpoint needs the store on every rank/)
})
