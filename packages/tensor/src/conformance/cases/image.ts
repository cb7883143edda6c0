import { conv2d, type Conv2dOptions } from '../../ops/conv2d.js'
import { groupNorm } from '../../ops/group-norm.js'
import { upsample2x } from '../../ops/upsample.js'
import { formatShape } from '../../shape.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare } from '../compare.js'
import { exact, terms } from '../tolerance.js'
import { drawNormal } from '../values.js'

/** Kernels of convolutional networks. */
export function imageCases(context: CaseContext): ConformanceCase[] {
  return [...convolutionCases(context), ...normCases(context), ...upsampleCases(context)]
}

interface Convolution extends Conv2dOptions {
  readonly x: readonly number[]
  /** [O, KH, KW] */
  readonly filter: readonly number[]
  readonly useBias?: boolean
}

const convolutions: readonly Convolution[] = [
  { x: [1, 1, 1, 1], filter: [1, 1, 1] },
  { x: [2, 5, 7, 9], filter: [3, 1, 1] },
  { x: [1, 33, 4, 5], filter: [17, 1, 1], useBias: false },
  { x: [2, 3, 6, 7], filter: [4, 1, 1], stride: 2 },
  { x: [1, 1, 1, 1], filter: [2, 3, 3], padding: 1 },
  { x: [1, 3, 5, 7], filter: [4, 3, 3] },
  { x: [2, 3, 5, 7], filter: [4, 3, 3], padding: 1 },
  { x: [1, 17, 12, 11], filter: [33, 3, 3], padding: 1 },
  { x: [3, 8, 9, 16], filter: [1, 3, 3], padding: 1, useBias: false },
  { x: [1, 4, 8, 8], filter: [6, 3, 3], stride: 2, padding: { bottom: 1, right: 1 } },
  { x: [2, 4, 7, 9], filter: [5, 3, 3], stride: 2, padding: { bottom: 1, right: 1 } },
  { x: [2, 2, 8, 7], filter: [3, 3, 3], stride: 2, padding: 1 },
  { x: [1, 2, 6, 9], filter: [3, 4, 2], stride: 3, padding: { top: 2, left: 3, bottom: 1 } },
  { x: [1, 3, 4, 4], filter: [2, 5, 5], padding: 4 },
  { x: [1, 2, 9, 9], filter: [2, 3, 3], stride: 4 },
  { x: [1, 600, 3, 3], filter: [3, 3, 3], padding: 1 },
  { x: [1, 2, 40, 70], filter: [3, 3, 3], padding: 1 },
]

function convolutionCases({ define }: CaseContext): ConformanceCase[] {
  const cases = convolutions.map((convolution) => {
    const { x, filter, stride = 1, padding = 0, useBias = true } = convolution
    const [B, C, H, W] = x
    const [O, KH, KW] = filter
    const sides = typeof padding === 'number' ? padding : `[${Object.entries(padding).flat().join(' ')}]`
    const claim = `${formatShape(x)} by [${filter.join(', ')}], stride ${stride}, padding ${sides}${useBias ? '' : ', no bias'}`
    return define('conv2d', claim, (backend, factor) =>
      compare(
        backend,
        {
          inputs: {
            x: drawNormal(`x ${claim}`, x),
            weight: drawNormal(`weight ${claim}`, [O, C, KH, KW], 2 / Math.sqrt(C * KH * KW)),
            ...(useBias ? { bias: drawNormal(`bias ${claim}`, [O]) } : {}),
          },
          run: ({ x, weight, bias = null }) => conv2d(x, weight, bias, { stride, padding }),
          forward: terms(C * KH * KW),
          backward: {
            x: terms(O * KH * KW),
            weight: terms(B * H * W),
            ...(useBias ? { bias: terms(B * H * W) } : {}),
          },
        },
        factor,
      ),
    )
  })
  for (const wanted of [['x'], ['weight'], ['bias']]) {
    cases.push(
      define('conv2d', `only the gradient of ${wanted.join()}`, (backend, factor) =>
        compare(
          backend,
          {
            inputs: {
              x: drawNormal('cx', [2, 3, 6, 5]),
              weight: drawNormal('cw', [4, 3, 3, 3]),
              bias: drawNormal('cb', [4]),
            },
            run: ({ x, weight, bias }) => conv2d(x, weight, bias, { padding: 1 }),
            forward: terms(27),
            backward: Object.fromEntries(wanted.map((name) => [name, terms(60)])),
          },
          factor,
        ),
      ),
    )
  }
  return cases
}

function normCases({ define }: CaseContext): ConformanceCase[] {
  const variants = [
    // Not of two values: these become 1 and -1 whatever they are, and their gradient is what rounding leaves.
    { shape: [1, 1, 1, 4], numGroups: 1 },
    { shape: [1, 8, 1, 1], numGroups: 2 },
    { shape: [2, 6, 3, 5], numGroups: 3 },
    { shape: [2, 6, 3, 5], numGroups: 1 },
    { shape: [3, 5, 7, 3], numGroups: 5 },
    { shape: [1, 64, 4, 4], numGroups: 32 },
    { shape: [1, 2, 65, 80], numGroups: 1 },
    { shape: [2, 8, 4, 6], numGroups: 4, offset: 1000 },
    { shape: [2, 8, 4, 6], numGroups: 4, scale: 1e-3 },
    { shape: [2, 8, 4, 6], numGroups: 4, scale: 1e4 },
  ]
  const activations = ['none', 'silu'] as const
  return variants.flatMap(({ shape, numGroups, scale = 1, offset = 0 }) =>
    activations.map((activation) => {
      const values = `${scale === 1 ? '' : `, of ${scale}`}${offset === 0 ? '' : `, around ${offset}`}`
      const claim = `${formatShape(shape)} in groups: ${numGroups}, activation ${activation}${values}`
      const [B, C, H, W] = shape
      const size = (C / numGroups) * H * W
      return define('groupNorm', claim, (backend, factor) =>
        compare(
          backend,
          {
            inputs: {
              x: drawNormal(`x ${claim}`, shape, scale, offset),
              weight: drawNormal(`weight ${claim}`, [C]),
              bias: drawNormal(`bias ${claim}`, [C]),
            },
            run: ({ x, weight, bias }) => groupNorm(x, weight, bias, { numGroups, epsilon: 1e-6, activation }),
            forward: terms(size),
            backward: { x: terms(size), weight: terms(B * H * W + size), bias: terms(B * H * W + size) },
          },
          factor,
        ),
      )
    }),
  )
}

function upsampleCases({ define }: CaseContext): ConformanceCase[] {
  return [
    [1, 1, 1, 1],
    [2, 3, 5, 7],
    [1, 2, 17, 16],
  ].map((shape) =>
    define('upsample2x', formatShape(shape), (backend, factor) =>
      compare(
        backend,
        {
          inputs: { x: drawNormal(`x ${shape.join()}`, shape) },
          run: ({ x }) => upsample2x(x),
          forward: exact,
          backward: { x: terms(4) },
        },
        factor,
      ),
    ),
  )
}
