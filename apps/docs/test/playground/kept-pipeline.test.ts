import type { WorkerPipeline } from '@dit/browser'
import { expect, test } from 'vitest'
import { keepPipeline, type OpenModel } from '../../src/playground/kept-pipeline.js'

/** Opens pipelines that do nothing, and tells what was asked and disposed of. */
function fakes() {
  const log: string[] = []
  const losses: ((error: Error) => void)[] = []
  const open: OpenModel = async (source, engine, onProgress) => {
    log.push(`open ${source} ${engine}`)
    onProgress(1, 2)
    await Promise.resolve()
    if (source === 'broken') throw new Error('broken')
    const lost = new Promise<Error>((resolve) => losses.push(resolve))
    return { lost, dispose: () => log.push(`dispose ${source}`) } as unknown as WorkerPipeline
  }
  return { log, losses, kept: keepPipeline(open) }
}

const settle = () => new Promise((resolve) => setTimeout(resolve))
const ignore = () => {}

test('opens a model once, and frees it when another one is opened', async () => {
  const { log, kept } = fakes()
  const first = kept.open('a', 'auto', ignore)
  expect(kept.isOpen('a', 'auto')).toBe(false)
  expect(await kept.open('a', 'auto', ignore)).toBe(await first)
  await settle()
  expect([kept.isOpen('a', 'auto'), kept.isOpen('a', 'wasm'), kept.isOpen('b', 'auto')]).toEqual([true, false, false])
  await kept.open('a', 'wasm', ignore)
  await settle()
  expect(log).toEqual(['open a auto', 'open a wasm', 'dispose a'])
  kept.dispose()
  await settle()
  expect(log.slice(3)).toEqual(['dispose a'])
})

test('tells the progress to whoever asked last', async () => {
  const { kept } = fakes()
  const told: string[] = []
  await kept.open('a', 'auto', (bytes, total) => told.push(`${bytes} of ${total}`))
  expect(told).toEqual(['1 of 2'])
})

test('opens anew what did not open, and what was lost', async () => {
  const { log, losses, kept } = fakes()
  await expect(kept.open('broken', 'auto', ignore)).rejects.toThrow('broken')
  await settle()
  await expect(kept.open('broken', 'auto', ignore)).rejects.toThrow('broken')
  await kept.open('a', 'auto', ignore)
  losses[0](new Error('lost'))
  await settle()
  expect(kept.isOpen('a', 'auto')).toBe(false)
  await kept.open('a', 'auto', ignore)
  expect(log).toEqual(['open broken auto', 'open broken auto', 'open a auto', 'dispose a', 'open a auto'])
})
