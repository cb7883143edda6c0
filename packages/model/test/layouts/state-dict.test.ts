import { TorchStorage, TorchTensor, type TorchFile, type TorchValue } from '@dit/checkpoint'
import { expect, test } from 'vitest'
import { chooseStateDict } from '../../src/index.js'

const dict = (size: number) => {
  const storage = new TorchStorage('0', 4 * size, 'F32', 0)
  return new Map([
    ['x_embedder.proj.bias', new TorchTensor('F32', { shape: [size], strides: [1], offset: 0 }, storage)],
  ])
}
const file = (value: Record<string, TorchValue>): TorchFile => ({
  value: new Map(Object.entries(value)),
  tensor: () => Promise.reject(new Error('no tensor is read')),
})
const sizeOf = (value: Record<string, TorchValue>, which?: 'ema' | 'model') =>
  chooseStateDict(file(value), which).file.entries.get('x_embedder.proj.bias')?.shape

test('the moving average comes first, and either can be asked for', () => {
  const state = { model: dict(1), ema: dict(2), opt: new Map(), args: new Map() }
  expect([sizeOf(state), sizeOf(state, 'model'), sizeOf(state, 'ema')]).toEqual([[2], [1], [2]])
  expect(() => chooseStateDict(file({ model: dict(1) }), 'ema')).toThrow('must have ema weights (it has model)')
})

test('a dict under state_dict is taken, as some trainers save it', () => {
  expect(sizeOf({ state_dict: dict(3), epoch: 1 })).toEqual([3])
  expect(() => chooseStateDict(file({ state_dict: dict(3) }), 'ema')).toThrow('it has one set, and does not say which')
})

test("SiT's arguments tell that it is no diffusion model, and DiT's that it is one", () => {
  const args = (fields: Record<string, TorchValue>) => new Map(Object.entries({ model: 'DiT-S/2', ...fields }))
  const isFlow = (fields: Record<string, TorchValue>) =>
    chooseStateDict(file({ ema: dict(384), args: args(fields) })).isFlow
  expect([isFlow({ path_type: 'Linear', prediction: 'velocity' }), isFlow({})]).toEqual([true, false])
})
