import { expect, test } from 'vitest'
import { chosenParameters, classConditional, trainOnly } from '../../src/index.js'
import { tinyModel } from '../setting.js'

const { parameters } = classConditional({ ...tinyModel, depth: 12 })
const chosen = (...patterns: string[]) => {
  const regexp = new RegExp(chosenParameters(patterns, parameters))
  return Object.keys(parameters).filter((name) => regexp.test(name))
}

test('parts, blocks by number and names with * choose what they say', () => {
  expect(chosen('final')).toEqual([
    'final_layer.linear.weight',
    'final_layer.linear.bias',
    'final_layer.adaLN_modulation.1.weight',
    'final_layer.adaLN_modulation.1.bias',
  ])
  expect(chosen('labels')).toEqual(['y_embedder.embedding_table.weight'])
  const blocks = (names: string[]) => new Set(names.map((name) => Number(/^blocks\.(\d+)\./.exec(name)![1])))
  expect(blocks(chosen('blocks.10-'))).toEqual(new Set([10, 11]))
  expect(blocks(chosen('blocks.1'))).toEqual(new Set([1]))
  expect(blocks(chosen('blocks.2-4'))).toEqual(new Set([2, 3, 4]))
  expect(chosen('blocks.1')).toHaveLength(10)
  expect(chosen('blocks.*.attn.qkv.weight')).toHaveLength(12)
  expect(chosen('adaln')).toHaveLength(26)
  // A dot is a dot.
  expect(() => chosen('blocks.1.attn.qkvxweight')).toThrow('no parameter matches')
})

test('what is not chosen is the frozen group', () => {
  const group = trainOnly(['final', 'labels'], parameters)
  expect(group).toMatchObject({ name: 'frozen', isFrozen: true })
  const frozen = Object.keys(parameters).filter((name) => new RegExp(group.match).test(name))
  expect(new Set([...frozen, ...chosen('final', 'labels')]).size).toBe(Object.keys(parameters).length)
  expect(frozen).toHaveLength(Object.keys(parameters).length - 5)
})

test('a pattern that nothing matches lists what there is', () => {
  expect(() => chosenParameters(['final', 'head'], parameters)).toThrow(
    'chosenParameters: no parameter matches "head"; there are the parts final, labels,',
  )
  expect(() => chosenParameters(['head'], parameters)).toThrow(
    /names such as pos_embed, x_embedder\.proj\.weight.* and \d+ more/,
  )
  expect(() => chosenParameters(['blocks.12-'], parameters)).toThrow('no parameter matches "blocks.12-"')
  expect(() => chosenParameters([], parameters)).toThrow('chosenParameters: there must be a pattern')
})

test('a table that is never trained is no choice', () => {
  expect(() => trainOnly(['positions'], parameters)).toThrow(
    'chosenParameters: positions is a fixed table, which is never trained',
  )
})
