import { openModel } from '@dit/pipeline'
import { expect, test } from 'vitest'
import { problemText } from '../../src/train/trainer.js'
import { pictures, settings, trainer } from './trained.js'

test('begins, is there after a reload, and exports a file that says all of itself', async () => {
  const first = trainer()
  expect(await first.asked({ kind: 'look' })).toEqual([
    { kind: 'kept', settings: null, step: 0, curves: { losses: [], heldOut: [] } },
  ])
  const heard = [...(await first.asked({ kind: 'begin', settings, pictures }))]
  expect(heard.filter(({ kind }) => kind === 'problem')).toEqual([])
  expect(heard[0]).toMatchObject({ kind: 'started', step: 0, engine: 'one thread' })
  expect(heard.flatMap((message) => (message.kind === 'step' ? [message.step] : []))).toEqual([1, 2, 3])
  const last = heard.findLast((message) => message.kind === 'step')
  expect(last?.heldOut).toBeGreaterThan(0)
  const drawn = heard.find((message) => message.kind === 'samples')
  expect(drawn?.pictures.map(({ width, data }) => [width, data.length])).toEqual([
    [4, 64],
    [4, 64],
  ])
  expect(heard.at(-1)).toEqual({ kind: 'ended', step: 3, reason: 'finished' })

  const second = trainer(first.files)
  const [kept] = await second.asked({ kind: 'look' })
  expect(kept).toMatchObject({ kind: 'kept', settings, step: 3 })
  const [exported] = await second.asked({ kind: 'export' })
  if (exported.kind !== 'exported') throw new Error(JSON.stringify(exported))
  const model = await openModel(exported.file)
  expect(model.names).toEqual(['dark', 'light'])
  expect(model.isProcessKnown).toBe(true)
  await model.close()

  expect((await second.asked({ kind: 'forget' })).at(-1)).toMatchObject({ kind: 'kept', settings: null, step: 0 })
  expect(first.files.size).toBe(0)
})

test('a training that is paused goes on with the numbers of one that was not', async () => {
  const whole = trainer()
  const unbroken = [...(await whole.asked({ kind: 'begin', settings, pictures }))]
  const broken = trainer()
  const begun = broken.asked({ kind: 'begin', settings, pictures })
  await expect.poll(() => broken.heard.some(({ kind }) => kind === 'step'), { interval: 1 }).toBe(true)
  await broken.asked({ kind: 'pause' })
  await begun
  await broken.asked({ kind: 'resume' })
  const [{ kind }] = broken.heard
  expect(kind).toBe('started')
  const lossesOf = (files: Map<string, Uint8Array>) => new TextDecoder().decode(files.get('log.jsonl'))
  expect(lossesOf(broken.files)).toBe(lossesOf(whole.files))
  expect(unbroken.at(-1)).toMatchObject({ kind: 'ended' })
})

test('what cannot be done is said', async () => {
  const { asked } = trainer()
  expect(await asked({ kind: 'resume' })).toEqual([{ kind: 'problem', text: 'there is no training to go on with' }])
  expect(await asked({ kind: 'export' })).toEqual([
    { kind: 'problem', text: 'there is no checkpoint yet; wait for the first samples' },
  ])
  const few = { ...pictures, labels: pictures.labels.subarray(0, 4), pixels: pictures.pixels.subarray(0, 4 * 48) }
  expect((await asked({ kind: 'begin', settings, pictures: few })).at(-1)).toEqual({
    kind: 'problem',
    text: 'give at least 8 pictures (there are 4)',
  })
  const full = Object.assign(new Error('quota'), { name: 'QuotaExceededError' })
  expect(problemText(full)).toMatch(/^The storage of this page is full\. Free some space/)
})
