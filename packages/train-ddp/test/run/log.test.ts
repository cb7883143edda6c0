import { expect, test } from 'vitest'
import { logProblem, memoryRunStore, openLog, parseLog, type StepRecord } from '../../src/index.js'

const record = (step: number): StepRecord => ({
  step,
  loss: 1 / step,
  gradNorm: 1,
  learningRate: 1e-3,
  emaDecay: 0.9,
  examples: step * 4,
})

test('cuts what was written after the checkpoint, also a broken last line', async () => {
  const store = memoryRunStore()
  const log = await openLog(store, { bytes: 0, step: 0 })
  await log.append(record(1))
  const { bytes } = log
  await log.append(record(2))
  await store.append('log.jsonl', '{"step":3,"lo')
  const again = await openLog(store, { bytes, step: 1 })
  await again.append(record(2))
  const text = new TextDecoder().decode((await store.read('log.jsonl'))!)
  expect(parseLog(text)).toEqual([record(1), record(2)])
})

test('starts an old log anew when nothing was saved', async () => {
  const store = memoryRunStore()
  await store.append('log.jsonl', 'rest of a run that never saved\n')
  expect((await openLog(store, { bytes: 0, step: 0 })).bytes).toBe(0)
  expect((await store.inspect('log.jsonl'))!.bytes).toBe(0)
})

test('says what is wrong with a log that lost lines or is of another run, and cuts it to whole lines', async () => {
  const store = memoryRunStore()
  expect(await logProblem(store, { bytes: 10, step: 1 })).toBe(
    'log.jsonl has 0 bytes, but its checkpoint was written after 10',
  )
  const log = await openLog(store, { bytes: 0, step: 0 })
  await log.append(record(1))
  const { bytes } = log
  await log.append(record(2))
  expect(await logProblem(store, { bytes, step: 1 })).toBeNull()
  expect(await logProblem(store, { bytes, step: 2 })).toBe(
    'log.jsonl does not end with step 2 where its checkpoint was written',
  )
  const middle = { bytes: bytes + 5, step: 2 }
  expect(await logProblem(store, middle)).toContain('does not end with step 2')
  expect((await openLog(store, middle)).bytes).toBe(bytes)
})

test('ignores a last line that was cut short', () => {
  expect(parseLog(`${JSON.stringify(record(1))}\n{"step":`)).toEqual([record(1)])
})
