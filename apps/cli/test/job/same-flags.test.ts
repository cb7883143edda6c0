import { singleCommunicator } from '@dit/train-ddp'
import { threadCommunicator, threadGroup } from '@dit/train-ddp/node'
import { expect, test } from 'vitest'
import { flagDifference } from '../../src/job/same-flags.js'
import type { TrainFlags } from '../../src/settings/train-settings.js'

/** What ranks with these flags are told, all in one thread. */
async function told(...flags: TrainFlags[]): Promise<string | null> {
  const group = threadGroup(flags.length)
  const texts = await Promise.all(flags.map((own, rank) => flagDifference(threadCommunicator(group, rank), own)))
  expect(new Set(texts).size).toBe(1)
  return texts[0]
}

const ALIKE = 'start all ranks with the same options (only --threads and --patience may differ)'

test('the same options in any order, with other threads and patience, differ in nothing', async () => {
  const flags = { steps: 4, clip: null, flip: false }
  const other = {
    flip: false,
    clip: null,
    steps: 4,
    threads: 2,
    patience: 5,
    config: 'b.json',
    quiet: true,
    json: true,
  }
  expect(await told(flags, { ...other }, { ...flags, config: 'a.json' })).toBeNull()
  expect(await flagDifference(singleCommunicator(), flags)).toBeNull()
})

test.each<[TrainFlags, TrainFlags, string]>([
  [{ steps: 4 }, { steps: 5 }, 'with --steps 5, but rank 0 with --steps 4'],
  [{ steps: 4 }, {}, 'without --steps, but rank 0 with --steps 4'],
  [{}, { microBatch: 2 }, 'with --micro-batch 2, but rank 0 without --micro-batch'],
  [{ clip: 1 }, { clip: null }, 'with --clip none, but rank 0 with --clip 1'],
  [{ flip: true }, { flip: false }, 'with --no-flip, but rank 0 with --flip'],
  [{ backend: 'cpu' }, { backend: 'webgpu' }, 'with --backend webgpu, but rank 0 with --backend cpu'],
])('%j on rank 0 and %j on another is told to all', async (first, other, text) => {
  expect(await told(first, first, other)).toBe(`rank 2 was started ${text}; ${ALIKE}`)
})
