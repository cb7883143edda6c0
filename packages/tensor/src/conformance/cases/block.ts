import { recompute } from '../../autograd/recompute.js'
import { attention } from '../../ops/attention.js'
import { gatedResidual } from '../../ops/gated-residual.js'
import { layerNormModulate } from '../../ops/layer-norm.js'
import { linear } from '../../ops/linear.js'
import { chunk } from '../../ops/shape.js'
import { silu } from '../../ops/unary.js'
import type { Tensor } from '../../tensor.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare } from '../compare.js'
import { terms } from '../tolerance.js'
import { drawNormal, type Input } from '../values.js'

/** A whole adaLN-Zero transformer block, forward and backward, with and without recomputation. */
export function blockCases({ define, operands }: CaseContext): ConformanceCase[] {
  const cases: ConformanceCase[] = []
  for (const [B, N, D, numHeads] of [
    [1, 1, 6, 1],
    [2, 9, 24, 3],
  ]) {
    const inputs = blockInputs(B, N, D)
    // The longest chain of sums: the MLP's 4 D, the rows of D and the N tokens, each once forward and once backward.
    const length = terms(2 * (4 * D + D + N))
    const backward = Object.fromEntries(Object.keys(inputs).map((name) => [name, length]))
    for (const recomputed of [false, true]) {
      cases.push(
        define(
          'block',
          `transformer block of [${B}, ${N}, ${D}] with ${numHeads} heads${recomputed ? ', recomputed' : ''}`,
          (backend, factor) =>
            compare(
              backend,
              {
                inputs,
                run: (tensors) => (recomputed ? recompute(() => block(tensors, numHeads)) : block(tensors, numHeads)),
                operands,
                forward: length,
                backward,
              },
              factor,
            ),
        ),
      )
    }
  }
  return cases
}

function block(p: Readonly<Record<string, Tensor>>, numHeads: number): Tensor {
  const modulation = linear(silu(p.c), p.modulationWeight, p.modulationBias) // [B, 6 D]
  const [shiftAttention, scaleAttention, gateAttention, shiftMlp, scaleMlp, gateMlp] = chunk(modulation, 6)
  const qkv = linear(layerNormModulate(p.x, shiftAttention, scaleAttention, 1e-6), p.qkvWeight, p.qkvBias)
  const attended = linear(attention(qkv, numHeads), p.projectionWeight, p.projectionBias) // [B, N, D]
  const x = gatedResidual(p.x, gateAttention, attended)
  const hidden = linear(layerNormModulate(x, shiftMlp, scaleMlp, 1e-6), p.fc1Weight, p.fc1Bias, { activation: 'gelu' })
  return gatedResidual(x, gateMlp, linear(hidden, p.fc2Weight, p.fc2Bias)) // [B, N, D]
}

function blockInputs(B: number, N: number, D: number): Readonly<Record<string, Input>> {
  const weight = (name: string, out: number, width: number) => ({
    [`${name}Weight`]: drawNormal(`${name} weight ${D}`, [out, width], width ** -0.5),
    [`${name}Bias`]: drawNormal(`${name} bias ${D}`, [out], 0.1),
  })
  return {
    x: drawNormal(`block x ${D}`, [B, N, D]),
    c: drawNormal(`block c ${D}`, [B, D]),
    ...weight('modulation', 6 * D, D),
    ...weight('qkv', 3 * D, D),
    ...weight('projection', D, D),
    ...weight('fc1', 4 * D, D),
    ...weight('fc2', D, 4 * D),
  }
}
