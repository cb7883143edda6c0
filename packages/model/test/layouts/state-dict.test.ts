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
  metadata: {},
  placeholders: [],
  value: new Map(Object.entries(value)),
  tensor: () => Promise.reject(new Error('no tensor is read')),
})
const sizeOf = (value: Record<string, TorchValue>, which?: 'ema' | 'model') =>
  chooseStateDict(file(value), { which }).file.entries.get('x_embedder.proj.bias')?.shape

test('the moving average comes first, and either can be asked for', () => {
  const state = { model: dict(1), ema: dict(2), opt: new Map(), args: new Map() }
  expect([sizeOf(state), sizeOf(state, 'model'), sizeOf(state, 'ema')]).toEqual([[2], [1], [2]])
  expect(() => chooseStateDict(file({ model: dict(1) }), { which: 'ema' })).toThrow(
    'must have ema weights (it has model)',
  )
})

test('a dict under state_dict is taken, as some trainers save it', () => {
  expect(sizeOf({ state_dict: dict(3), epoch: 1 })).toEqual([3])
  expect(() => chooseStateDict(file({ state_dict: dict(3) }), { which: 'ema' })).toThrow(
    'it has one set, and does not say which',
  )
})

test('plain values of arguments and of a configuration come along', () => {
  const args = new Map<string, TorchValue>([
    ['path_type', 'Linear'],
    ['cfg_prob', 0.1],
    ['train_eps', null],
  ])
  expect([...chooseStateDict(file({ ema: dict(1), args })).saved]).toEqual([
    ['path_type', 'Linear'],
    ['cfg_prob', 0.1],
  ])
  const config = new Map<string, TorchValue>([['model', new Map<string, TorchValue>([['use_rope', true]])]])
  expect([...chooseStateDict(file({ ema: dict(1), config })).saved]).toEqual([['model.use_rope', true]])
  expect(chooseStateDict(file({ state_dict: dict(1) })).saved.size).toBe(0)
  expect(chooseStateDict(file({ state_dict: dict(1), args })).saved.get('path_type')).toBe('Linear')
})

test('the names of SiT and LightningDiT tell the heads where the width fits', () => {
  const hints = (size: number, args: Record<string, TorchValue>) =>
    chooseStateDict(file({ ema: dict(size), args: new Map(Object.entries(args)) })).hints
  expect(hints(1152, { model: 'SiT-XL/2' })).toEqual({ numHeads: 16 })
  expect(hints(1152, { model: 'LightningDiT-XL/1' })).toEqual({ numHeads: 16 })
  expect(hints(384, { model: 'SiT-XL/2' })).toEqual({})
  expect(hints(384, { model: 'UNet' })).toEqual({})
})

test("JiT's first average is its moving average", () => {
  const state = { model: dict(1), model_ema1: dict(2), model_ema2: dict(3) }
  expect([sizeOf(state), sizeOf(state, 'model'), sizeOf(state, 'ema')]).toEqual([[2], [1], [2]])
})

test.each(['model_state_dict', 'state_dict', 'net', 'module', 'params', 'network'])(
  'weights under %s are found',
  (key) => {
    expect(sizeOf({ [key]: dict(3), epoch: 1, optimizer_state_dict: new Map() })).toEqual([3])
  },
)

test.each(['ema_state_dict', 'ema_model', 'params_ema', 'model_ema'])('an average under %s goes first', (key) => {
  const state = { model_state_dict: dict(1), params: dict(3), [key]: dict(2) }
  expect([sizeOf(state), sizeOf(state, 'ema'), sizeOf(state, 'model')]).toEqual([[2], [2], [1]])
})

test('a dict within that of the average is taken, and one of numbers alone is none', () => {
  expect(
    sizeOf({
      ema: new Map<string, TorchValue>([
        ['state_dict', dict(2)],
        ['decay', 0.99],
      ]),
      model: dict(1),
    }),
  ).toEqual([2])
  const shadow = new Map<string, TorchValue>([
    ['decay', 0.99],
    ['shadow_params', [new Map()]],
  ])
  expect(sizeOf({ ema: shadow, model: dict(1) })).toEqual([1])
  expect(() => sizeOf({ ema: shadow, model: dict(1) }, 'ema')).toThrow('must have ema weights (it has model)')
})

test('a dict in an unusual place is named, and without a name the keys are listed', () => {
  const odd = { checkpoint: new Map<string, TorchValue>([['weights_of_it', dict(4)]]), epoch: 3, losses: [1, 2] }
  expect(() => chooseStateDict(file(odd))).toThrow(
    'no dict of tensors is found: its keys are checkpoint (a dict of 1), epoch, losses (a list of 2); name the one with the weights by `key`',
  )
  const { file: found } = chooseStateDict(file(odd), { key: 'checkpoint.weights_of_it' })
  expect(found.entries.get('x_embedder.proj.bias')?.shape).toEqual([4])
  expect(() => chooseStateDict(file(odd), { key: 'checkpoint' })).toThrow(
    '"checkpoint" must name a dict of tensors; its keys are',
  )
})
