import { countedNetwork, type DiTConfig } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import { small, tiny } from './models.js'

/** Forward, backward and Adam on one batch. */
export interface TrainStepSpec {
  readonly kind: 'train-step'
  readonly model: DiTConfig
  readonly batch: number
  readonly recompute: 'none' | 'block'
}

/** DDIM steps with classifier-free guidance: each runs the model on twice the batch. */
export interface SampleSpec {
  readonly kind: 'sample'
  readonly model: DiTConfig
  readonly batch: number
  readonly steps: number
  readonly guidance: number
}

/** `calls` products `[m, k] [k, n]`, either operand stored transposed. */
export interface GemmSpec {
  readonly kind: 'gemm'
  readonly m: number
  readonly k: number
  readonly n: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly calls: number
}

/** Multi-head attention, forward and backward. */
export interface AttentionSpec {
  readonly kind: 'attention'
  readonly batch: number
  readonly tokens: number
  readonly hiddenSize: number
  readonly numHeads: number
}

/** AdamW with an EMA over one flat segment of `size` parameters. */
export interface OptimizerSpec {
  readonly kind: 'optimizer'
  readonly size: number
}

/** `size` standard normal draws. */
export interface RngSpec {
  readonly kind: 'rng'
  readonly size: number
}

/** What a worker is asked to do: plain JSON, read by the Python side too. */
export type CaseSpec = TrainStepSpec | SampleSpec | GemmSpec | AttentionSpec | OptimizerSpec | RngSpec

/** For each value of the check: how far engines may be apart, over 1 + |value|. */
export interface Tolerance {
  readonly f32: readonly number[]
  /** Of engines that round the operands of products to 8 bits. */
  readonly bf16: readonly number[]
}

export interface BenchCase {
  readonly name: string
  /** What `--cases` also knows it by; cases of the group `extra` run only when they are named. */
  readonly group: string
  readonly spec: CaseSpec
  /** Operations of one repetition, 2 per multiply-add; null where they are not what costs. */
  readonly flops: number | null
  readonly tolerance: Tolerance
}

/** The width of DiT-B. */
const base: DiTConfig = { ...small, hiddenSize: 768, numHeads: 12 }

/** The same for each of the sixteen values that are looked at. */
const sixteen = (tolerance: number) => new Array<number>(16).fill(tolerance)

/** Every case that there is. */
export const CASES: readonly BenchCase[] = [
  trainStep('train-step-64', small),
  trainStep('train-step-64-recompute', small, 'block'),
  trainStep('train-step-256', { ...small, inputSize: 32 }),
  trainStep('train-step-b-64', base),
  sample('sample-1', small, 1),
  sample('sample-8', small, 8),
  gemm('gemm-nn', false, false),
  gemm('gemm-nt', false, true),
  gemm('gemm-tn', true, false),
  attention(),
  optimizer(),
  rng(),
  { ...trainStep('train-step-tiny', tiny), group: 'extra' },
  { ...trainStep('train-step-256-recompute', { ...small, inputSize: 32 }, 'block'), group: 'extra' },
  { ...sample('sample-tiny', tiny, 1), group: 'extra' },
]

/**
 * The cases that a list of names and groups stands for, in the order of `CASES`; all but the extra ones by default.
 *
 * @param others names that are no cases of these, for the error
 * @throws RangeError for a name that is neither
 */
export function chooseCases(names: readonly string[] | null, others: readonly string[] = []): readonly BenchCase[] {
  if (names === null) return CASES.filter(({ group }) => group !== 'extra')
  for (const wanted of names) {
    if (!CASES.some(({ name, group }) => name === wanted || group === wanted)) {
      throw new RangeError(
        `bench: no case ${wanted} (there are ${[...CASES.map(({ name }) => name), ...others].join(', ')})`,
      )
    }
  }
  return CASES.filter(({ name, group }) => names.includes(name) || names.includes(group))
}

function trainStep(name: string, model: DiTConfig, recompute: 'none' | 'block' = 'none', batch = 8): BenchCase {
  return {
    name,
    group: 'train-step',
    spec: { kind: 'train-step', model, batch, recompute },
    flops: batch * countMultiplyAdds(countedNetwork(model)).trainingFlops,
    // Loss and gradient norm of the first step, then of the second, whose weights Adam has moved. Most engines agree
    // within 1e-7; tfjs adds up a mean, and the squares of a gradient, one by one in float32 (2e-5 here).
    tolerance: { f32: [1e-5, 5e-4, 5e-5, 5e-4], bf16: [1e-2, 5e-2, 1e-2, 5e-2] },
  }
}

function sample(name: string, model: DiTConfig, batch: number): BenchCase {
  const steps = 4
  return {
    name,
    group: 'sample',
    spec: { kind: 'sample', model, batch, steps, guidance: 4 },
    flops: steps * 2 * batch * countMultiplyAdds(countedNetwork(model)).flops,
    // Four steps, each amplified by the guidance scale.
    tolerance: { f32: sixteen(1e-3), bf16: sixteen(0.5) },
  }
}

/** A layer of DiT-S at 8 x 64 tokens, from 384 to 1536. */
function gemm(name: string, transposeA: boolean, transposeB: boolean): BenchCase {
  const [m, k, n, calls] = [512, 384, 1536, 16]
  return {
    name,
    group: 'gemm',
    spec: { kind: 'gemm', m, k, n, transposeA, transposeB, calls },
    flops: calls * 2 * m * k * n,
    // float32, 384 terms; bfloat16 rounds operands near 1 by up to 2^-9, and results too
    tolerance: { f32: sixteen(2e-6), bf16: sixteen(2e-2) },
  }
}

function attention(): BenchCase {
  const [batch, tokens, hiddenSize, numHeads] = [8, 256, 384, 6]
  return {
    name: 'attention',
    group: 'attention',
    spec: { kind: 'attention', batch, tokens, hiddenSize, numHeads },
    // Forward: scores and values; the backward pass counts twice that, whatever it recomputes.
    flops: 3 * batch * 2 * (2 * tokens ** 2 * hiddenSize),
    tolerance: { f32: sixteen(2e-6), bf16: sixteen(3e-2) }, // 256 terms
  }
}

function optimizer(): BenchCase {
  return {
    name: 'optimizer',
    group: 'optimizer',
    spec: { kind: 'optimizer', size: 2 ** 23 },
    flops: null,
    // Of the average, from 1e-4 of a parameter; there are no products.
    tolerance: { f32: new Array<number>(32).fill(1e-5), bf16: new Array<number>(32).fill(1e-5) },
  }
}

function rng(): BenchCase {
  return {
    name: 'rng',
    group: 'rng',
    spec: { kind: 'rng', size: 2 ** 22 },
    flops: null,
    tolerance: { f32: sixteen(1e-6), bf16: sixteen(1e-6) }, // 4 units in the last place
  }
}
