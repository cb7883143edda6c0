import { type Params, type Shape, sizeOf } from '@dit/tensor'
import type { Block } from './blocks/block.js'
import type { DiTConfig } from './config.js'
import { parameterTable } from './parameter-table.js'

/**
 * Name and shape of every parameter, in the order and with the names of the official state dicts: the shapes of `parameterTable`.
 *
 * @param block blocks of your own, in place of those that the configuration names
 * @throws RangeError when the configuration is invalid
 */
export function parameterShapes(config: DiTConfig, block?: Block): Record<string, Shape> {
  return Object.fromEntries(Object.entries(parameterTable(config, block)).map(([name, { shape }]) => [name, shape]))
}

/** Whether training changes a parameter: all but a sine-cosine `pos_embed`. */
export function isTrainable({ positions }: DiTConfig, name: string): boolean {
  return name !== 'pos_embed' || positions === 'learned'
}

/**
 * Whether a parameter is the weight of a linear layer (the patch embedding is one); the others are biases, scales of norms and tables.
 */
export function isLinearWeight(name: string, shape: Shape): boolean {
  return shape.length > 1 && name.endsWith('.weight') && !name.endsWith('embedding_table.weight')
}

/** The parameters that training changes: those to differentiate by and to hand to an optimizer. */
export function trainableParams(config: DiTConfig, params: Params): Params {
  return Object.fromEntries(Object.entries(params).filter(([name]) => isTrainable(config, name)))
}

/**
 * Number of parameters. The paper's figures are those of `trainable`.
 *
 * @throws RangeError when the configuration is invalid
 */
export function countParameters(config: DiTConfig): { readonly all: number; readonly trainable: number } {
  let [all, trainable] = [0, 0]
  for (const { shape, isTrainable } of Object.values(parameterTable(config))) {
    all += sizeOf(shape)
    if (isTrainable) trainable += sizeOf(shape)
  }
  return { all, trainable }
}
