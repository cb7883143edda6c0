import { expect, test } from 'vitest'
import { memoryRunStore, openLog, parseLog, type StepRecord } from '../../src/index.js'

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
  const log = await openLog(store, 0)
  await log.append(record(1))
  const { bytes } = log
  await log.append(record(2))
  await store.append('log.jsonl', '{"step":3,"lo')
  const again = await openLog(store, bytes)
  await again.append(record(2))
  const text = new TextDecoder().decode((await store.read('log.jsonl'))!)
  expect(parseLog(text)).toEqual([record(1), record(2)])
})

test('starts an old log anew when nothing was saved', async () => {
  const store = memoryRunStore()
  await store.append('log.jsonl', 'rest of a run that never saved\n')
  expect((await openLog(store, 0)).bytes).toBe(0)
  expect((await store.inspect('log.jsonl'))!.bytes).toBe(0)
})

test('refuses a log that lost lines', async () => {
  await expect(openLog(memoryRunStore(), 10)).rejects.toThrow(
    'memory: log.jsonl has 0 bytes, but its checkpoint was written after 10',
  )
})

test('ignores a last line that was cut short', () => {
  expect(parseLog(`${JSON.stringify(record(1))}\n{"step":`)).toEqual([record(1)])
})
