import type { AdamWStep, Backend } from '../../backend.js'
import type { TensorData } from '../../dtype.js'
import { tensor, zeros } from '../../ops/create.js'
import { adamw, type AdamWState, updateEma } from '../../parameters/adamw.js'
import { reference } from '../../reference/backend.js'
import { dispose } from '../../scope.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { checkValues, largest, type Tolerance } from '../tolerance.js'
import { drawNormal, drawUniform, type Input } from '../values.js'
import { compareInPlace } from './in-place.js'

const STEPS = 4

interface Variant {
  readonly claim: string
  readonly size: number
  readonly useEma?: boolean
  readonly gradientSize?: number
  readonly step?: Partial<AdamWStep>
}

const variants: readonly Variant[] = [
  { claim: 'one element', size: 1 },
  { claim: '7 elements with EMA', size: 7, useEma: true },
  { claim: '1003 elements with EMA and weight decay', size: 1003, useEma: true, step: { weightDecay: 0.1 } },
  { claim: 'weight decay, no EMA', size: 64, step: { weightDecay: 0.5 } },
  { claim: 'gradients scaled', size: 64, useEma: true, step: { gradientScale: 0.125 } },
  { claim: 'late in training', size: 64, useEma: true, step: { step: 100_000 } },
  { claim: 'gradients of 1e-12, below epsilon', size: 64, gradientSize: 1e-12 },
  { claim: 'no gradient: only the weight decays', size: 64, gradientSize: 0, step: { weightDecay: 0.25 } },
  { claim: 'other betas and a large epsilon', size: 64, step: { beta1: 0.5, beta2: 0.95, epsilon: 1e-3 } },
]

export function optimizerCases({ define }: CaseContext): ConformanceCase[] {
  return [
    ...variants.map((variant) =>
      define('optimizer', `adamw, ${variant.claim}`, (backend, factor) => compareSteps(backend, variant, factor)),
    ),
    define('optimizer', 'updateEma', (backend, factor) =>
      compareInPlace(
        backend,
        { ema: drawNormal('ema', [3, 7]), parameter: drawNormal('parameter', [3, 7]) },
        ({ ema, parameter }) => {
          for (const decay of [0.9999, 0.5, 0]) updateEma(ema, parameter, decay)
          return ema
        },
        // Two products and a sum a step, of numbers up to 4.
        { kind: 'eps', eps: () => 3 * 3 * 4 },
        factor,
      ),
    ),
  ]
}

async function compareSteps(backend: Backend, variant: Variant, factor: number): Promise<number> {
  const { size, gradientSize = 1, step } = variant
  const hyper = {
    learningRate: 0.01,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    gradientScale: 1,
    emaDecay: 0.75,
    step: 1,
    ...step,
  }
  const parameter = drawNormal(`adamw ${size}`, [size])
  // Magnitudes between 1/2 and 2, so that m / sqrt(v) is well conditioned.
  const gradients = Array.from({ length: STEPS }, (_, i) => {
    const magnitude = drawUniform(`gradient ${i}`, [size], 0.5, 2)
    const sign = drawNormal(`gradient sign ${i}`, [size])
    return {
      shape: [size],
      data: magnitude.data.map((g, at) => gradientSize * g * Math.sign(sign.data[at])) as Float32Array,
    }
  })
  const got = await runSteps(backend, variant, parameter, gradients, hyper)
  const want = await runSteps(reference(), variant, parameter, gradients, hyper)

  // Per step: a product or two and a sum for m and v, of the size of the largest gradient. The ratio m / sqrt(v) is at most
  // about 4 here and carries the errors of both, a root and a division; the parameter adds its own roundings.
  const g = largest(gradients.flatMap(({ data }) => [...data])) * hyper.gradientScale
  const moved = STEPS * (5 * (largest(want.parameter) + 1) + 64 * hyper.learningRate)
  const bounds: Record<string, number> = { m: 5 * STEPS * g, v: 5 * STEPS * g * g, parameter: moved, ema: 2 * moved }
  let worst = 0
  for (const [what, values] of Object.entries(want)) {
    const tolerance: Tolerance = { kind: 'eps', eps: () => bounds[what] }
    worst = Math.max(
      worst,
      checkValues(backend, { what, shape: [size], got: got[what], want: values }, tolerance, factor),
    )
  }
  return worst
}

async function runSteps(
  backend: Backend,
  { size, useEma = false }: Variant,
  start: Input,
  gradients: readonly Input[],
  hyper: AdamWStep,
): Promise<Record<string, TensorData>> {
  const make = ({ data, shape }: Input) => tensor(data, shape, { backend })
  const state: AdamWState = {
    parameter: make(start),
    gradient: make(gradients[0]),
    m: zeros([size], { backend }),
    v: zeros([size], { backend }),
    ema: useEma ? make(start) : null,
  }
  try {
    for (const [i, input] of gradients.entries()) {
      const gradient = make(input)
      adamw({ ...state, gradient }, { ...hyper, step: hyper.step + i })
      gradient.dispose()
    }
    const { parameter, m, v, ema } = state
    return {
      parameter: await parameter.data(),
      m: await m.data(),
      v: await v.data(),
      ...(ema === null ? {} : { ema: await ema.data() }),
    }
  } finally {
    dispose({ ...state })
  }
}
