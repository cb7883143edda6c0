import { expect, test } from 'vitest'
import { watchFailures } from '../src/runtime/failures.js'

class GPUOutOfMemoryError extends Error {}
class GPUValidationError extends Error {}

/** A device that reports what it is told to, as those of browsers do: some time after the call. */
function fakeDevice() {
  const device = Object.assign(new EventTarget(), { lost: new Promise<never>(() => {}) })
  const report = (error: Error) => device.dispatchEvent(Object.assign(new Event('uncapturederror'), { error }))
  return { device: device as unknown as GPUDevice, report }
}

test('of several errors the first is thrown, and all memory that could not be had is told of', () => {
  const { device, report } = fakeDevice()
  const labels: string[] = []
  const failures = watchFailures('webgpu', device, (label) => labels.push(label))
  for (const label of ['tensors 1', 'tensors 2', 'tensors 12']) failures.noteMemory(label, 1024, 4096)
  report(new GPUValidationError('bound with size 4'))
  report(new GPUOutOfMemoryError('Failed to allocate memory for [Buffer "tensors 1"]'))
  report(new GPUOutOfMemoryError('Failed to allocate memory for [Buffer "tensors 12"]'))
  expect(failures.check).toThrow('webgpu: the device refused an operation (validation): bound with size 4')
  expect(failures.check).not.toThrow()
  expect(labels).toEqual(['tensors 1', 'tensors 12'])
})

test('the cause of an error about memory leads to the op that asked, however deep the engine is', () => {
  const { device, report } = fakeDevice()
  const failures = watchFailures('webgpu', device, () => {})
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 10
  try {
    const engine = (depth: number): void =>
      depth === 0 ? failures.noteMemory('tensors 1', 1024, 4096) : engine(depth - 1)
    const theOp = () => engine(15)
    theOp()
    expect(Error.stackTraceLimit).toBe(10)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  report(new GPUOutOfMemoryError('Failed to allocate memory for [Buffer "tensors 1"]'))
  let thrown: Error | null = null
  try {
    failures.check()
  } catch (error) {
    thrown = error as Error
  }
  expect(thrown?.message).toContain('1024 bytes were asked for beside 4096 that are taken')
  expect((thrown?.cause as Error | undefined)?.stack).toContain('theOp')
})
