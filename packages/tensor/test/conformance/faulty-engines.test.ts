import { type Backend, reference } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { failuresOf, floats, mutant } from './mutant.js'

describe('the suite catches engines that', () => {
  const plain = () => reference()

  test('never free', async () => {
    expect(await failuresOf({ ...plain(), free: () => undefined }, /^memory/)).not.toEqual([])
  })

  test('leak a buffer in every softmax', async () => {
    const base = plain()
    const leaky = mutant((k) => ({ softmax: (x, out) => (base.allocate(8), k.softmax(x, out)) }), base)
    expect(await failuresOf(leaky, /^softmax/)).not.toEqual([])
  })

  test('do not remember the peak', async () => {
    const base = plain()
    const forgetful = { ...base, memory: () => ({ ...base.memory(), peakBytes: 0 }) }
    expect(await failuresOf(forgetful, /^memory/)).not.toEqual([])
  })

  test('give out their own memory on download, or keep the host array on upload', async () => {
    const sharing: Backend = { ...plain(), download: async (x) => floats(x) }
    expect(await failuresOf(sharing, /^values: what is downloaded/)).not.toEqual([])
    const kept = new Map<unknown, Float64Array>()
    const keeping: Backend = {
      ...plain(),
      upload: (x, data) => void kept.set(x.buffer, data as Float64Array),
      download: async (x) => kept.get(x.buffer)!.slice(),
    }
    expect(await failuresOf(keeping, /^values: what is uploaded/)).not.toEqual([])
  })

  test('lose the sign of zero, or denormals', async () => {
    const flush = (change: (value: number) => number): Backend => {
      const base = plain()
      return {
        ...base,
        upload: (x, data) => base.upload(x, x.dtype === 'f64' ? (data as Float64Array).map(change) : data),
      }
    }
    expect(
      await failuresOf(
        flush((x) => x + 0),
        /^values: upload/,
      ),
    ).not.toEqual([])
    expect(
      await failuresOf(
        flush((x) => (Math.abs(x) < 2 ** -126 ? 0 : x)),
        /^values: upload/,
      ),
    ).not.toEqual([])
  })
})
