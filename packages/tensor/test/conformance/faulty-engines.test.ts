import { type Backend, reference } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { isCaught, floats, mutant } from './mutant.js'

describe('the suite catches engines that', () => {
  const plain = () => reference()

  test('never free', async () => {
    expect(await isCaught({ ...plain(), free: () => undefined }, /^memory/)).toBe(true)
  })

  test('leak a buffer in every softmax', async () => {
    const base = plain()
    const leaky = mutant((k) => ({ softmax: (x, out) => (base.allocate(8), k.softmax(x, out)) }), base)
    expect(await isCaught(leaky, /^softmax/)).toBe(true)
  })

  test('do not remember the peak', async () => {
    const base = plain()
    const forgetful = { ...base, memory: () => ({ ...base.memory(), peakBytes: 0 }) }
    expect(await isCaught(forgetful, /^memory/)).toBe(true)
  })

  test('give out their own memory on download, or keep the host array on upload', async () => {
    const sharing: Backend = { ...plain(), download: async (x) => floats(x) }
    expect(await isCaught(sharing, /^values: what is downloaded/)).toBe(true)
    const kept = new Map<unknown, Float64Array>()
    const keeping: Backend = {
      ...plain(),
      upload: (x, data) => void kept.set(x.buffer, data as Float64Array),
      download: async (x) => kept.get(x.buffer)!.slice(),
    }
    expect(await isCaught(keeping, /^values: what is uploaded/)).toBe(true)
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
      await isCaught(
        flush((x) => x + 0),
        /^values: upload/,
      ),
    ).toBe(true)
    expect(
      await isCaught(
        flush((x) => (Math.abs(x) < 2 ** -126 ? 0 : x)),
        /^values: upload/,
      ),
    ).toBe(true)
  })
})
