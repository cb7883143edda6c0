import { conv2d, type Conv2dOptions } from '../../ops/conv2d.js'
import { averagePool2d, maxPool2d, type Pool2dOptions } from '../../ops/pool.js'
import { formatShape } from '../../shape.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare, type Comparison, compareExactly } from '../compare.js'
import { exact, terms } from '../tolerance.js'
import { drawNormal, given } from '../values.js'

/** Kernels of networks that judge pictures: groups, activations, pooling. Gradients go through composed operations. */
export function inferenceCases(context: CaseContext): ConformanceCase[] {
  return [...groupedCases(context), ...poolCases(context), ...specialCases(context)]
}

interface Convolution extends Conv2dOptions {
  readonly x: readonly number[]
  /** [O, C / groups, KH, KW] */
  readonly weight: readonly number[]
  readonly useBias?: boolean
  readonly hasGradients?: boolean
}

const convolutions: readonly Convolution[] = [
  // One group and an activation.
  { x: [1, 1, 1, 1], weight: [1, 1, 1, 1], activation: 'relu' },
  { x: [2, 5, 7, 9], weight: [7, 5, 1, 1], activation: 'relu', hasGradients: true },
  { x: [1, 33, 4, 5], weight: [17, 33, 1, 1], activation: 'relu6', useBias: false },
  { x: [3, 20, 9, 9], weight: [70, 20, 1, 1], activation: 'relu' },
  { x: [2, 3, 6, 7], weight: [4, 3, 1, 1], activation: 'relu', stride: 2 },
  { x: [2, 3, 5, 7], weight: [4, 3, 3, 3], activation: 'relu6', padding: 1 },
  { x: [3, 5, 17, 17], weight: [9, 5, 3, 3], activation: 'relu', stride: 2 },
  { x: [2, 6, 9, 11], weight: [5, 6, 1, 7], activation: 'relu', padding: { left: 3, right: 3 } },
  { x: [2, 6, 9, 11], weight: [5, 6, 7, 1], activation: 'relu', padding: { top: 3, bottom: 3 } },
  { x: [1, 4, 6, 5], weight: [3, 4, 5, 5], activation: 'relu', padding: 2, useBias: false },
  { x: [1, 2, 8, 9], weight: [3, 2, 3, 3], activation: 'relu6', stride: 2, padding: { bottom: 1, right: 1 } },
  { x: [1, 2, 3, 2], weight: [2, 2, 3, 3], activation: 'relu', padding: 4 },
  { x: [1, 600, 3, 3], weight: [3, 600, 3, 3], activation: 'relu', padding: 1 },
  { x: [1, 2, 40, 70], weight: [3, 2, 3, 3], activation: 'relu', padding: 1 },
  { x: [5, 130, 2, 3], weight: [40, 130, 1, 1], activation: 'relu' },
  // Some channels in each group.
  { x: [2, 4, 7, 9], weight: [6, 2, 3, 3], groups: 2, padding: 1, hasGradients: true },
  { x: [1, 6, 5, 4], weight: [3, 2, 3, 3], groups: 3, padding: 1, activation: 'relu' },
  { x: [2, 9, 6, 8], weight: [12, 3, 1, 1], groups: 3, useBias: false },
  { x: [1, 32, 5, 5], weight: [32, 8, 3, 3], groups: 4, stride: 2, padding: 1, activation: 'relu6' },
  { x: [1, 6, 7, 9], weight: [4, 3, 1, 7], groups: 2, padding: { left: 3, right: 3 }, activation: 'relu' },
  // One channel in each group.
  { x: [1, 2, 1, 1], weight: [2, 1, 1, 1], groups: 2 },
  { x: [2, 5, 13, 19], weight: [5, 1, 3, 3], groups: 5, padding: 1, hasGradients: true },
  { x: [1, 3, 6, 70], weight: [3, 1, 3, 3], groups: 3, padding: 1, activation: 'relu6' },
  { x: [1, 3, 41, 33], weight: [3, 1, 5, 5], groups: 3, padding: 2, activation: 'relu6' },
  { x: [2, 40, 7, 7], weight: [40, 1, 5, 5], groups: 40, padding: 2, activation: 'relu6', useBias: false },
  { x: [1, 4, 8, 8], weight: [4, 1, 3, 3], groups: 4, stride: 2, padding: { bottom: 1, right: 1 }, hasGradients: true },
  { x: [2, 4, 7, 9], weight: [4, 1, 3, 3], groups: 4, stride: 2, padding: 1, activation: 'relu6' },
  { x: [1, 3, 35, 50], weight: [3, 1, 5, 5], groups: 3, stride: 2, padding: { top: 2, left: 1, bottom: 2, right: 2 } },
  { x: [1, 3, 14, 15], weight: [3, 1, 5, 5], groups: 3, stride: 2, padding: { top: 1, left: 2, bottom: 2, right: 2 } },
  { x: [1, 3, 9, 40], weight: [3, 1, 1, 7], groups: 3, padding: { left: 3, right: 3 }, activation: 'relu' },
  { x: [1, 3, 40, 9], weight: [3, 1, 7, 1], groups: 3, padding: { top: 3, bottom: 3 } },
  { x: [2, 3, 5, 6], weight: [6, 1, 3, 3], groups: 3, padding: 1, activation: 'relu', hasGradients: true },
  { x: [1, 2, 3, 2], weight: [2, 1, 3, 3], groups: 2, padding: 4 },
  { x: [1, 2, 3, 4], weight: [2, 1, 5, 6], groups: 2, padding: { top: 1, bottom: 1, left: 2 } },
  { x: [1, 2, 11, 14], weight: [2, 1, 2, 3], groups: 2, stride: 4, padding: { left: 1 } },
  { x: [1, 5, 12, 11], weight: [5, 1, 1, 1], groups: 5, activation: 'relu' },
]

function groupedCases({ define }: CaseContext): ConformanceCase[] {
  return convolutions.flatMap((convolution) => {
    const { x, weight, useBias = true, hasGradients = false, ...options } = convolution
    const { stride = 1, padding = 0, groups = 1, activation = 'none' } = options
    const [B, , H, W] = x
    const [O, channels, KH, KW] = weight
    const sides = typeof padding === 'number' ? padding : `[${Object.entries(padding).flat().join(' ')}]`
    const claim = `${formatShape(x)} by ${formatShape(weight)} in groups: ${groups}, stride ${stride}, padding ${sides}, activation ${activation}${useBias ? '' : ', no bias'}`
    const comparison: Comparison = {
      inputs: {
        x: drawNormal(`x ${claim}`, x),
        // Some results above 6, and many below 0.
        weight: drawNormal(`weight ${claim}`, weight, 4 / Math.sqrt(channels * KH * KW)),
        ...(useBias ? { bias: drawNormal(`bias ${claim}`, [O], 2) } : {}),
      },
      run: ({ x, weight, bias = null }) => conv2d(x, weight, bias, options),
      forward: terms(channels * KH * KW + 1),
    }
    const backward = {
      x: terms((O / groups) * KH * KW),
      weight: terms(B * H * W),
      ...(useBias ? { bias: terms(B * H * W) } : {}),
    }
    const forward = define('grouped conv2d', claim, (backend, factor) => compare(backend, comparison, factor))
    const gradients = define('grouped conv2d', `gradients of ${claim}`, (backend, factor) =>
      compare(backend, { ...comparison, backward }, factor),
    )
    return hasGradients ? [forward, gradients] : [forward]
  })
}

const poolings: readonly { readonly x: readonly number[]; readonly options: Pool2dOptions }[] = [
  { x: [1, 1, 1, 1], options: { window: 1 } },
  { x: [2, 3, 5, 7], options: { window: 2 } },
  { x: [2, 3, 9, 9], options: { window: 3, stride: 2 } },
  { x: [2, 3, 5, 7], options: { window: 3, stride: 1, padding: 1 } },
  { x: [1, 2, 33, 70], options: { window: 3, stride: 1, padding: 1 } },
  { x: [1, 2, 41, 67], options: { window: 3, stride: 2, padding: 1 } },
  { x: [3, 5, 8, 8], options: { window: [8, 8] } },
  { x: [1, 300, 2, 2], options: { window: 2 } },
  { x: [1, 2, 9, 40], options: { window: [1, 7], stride: 1, padding: { left: 3, right: 3 } } },
  { x: [1, 2, 40, 9], options: { window: [7, 1], stride: [2, 1], padding: { top: 3, bottom: 3 } } },
  { x: [1, 2, 8, 9], options: { window: 3, stride: 2, padding: { bottom: 1, right: 1 } } },
  { x: [1, 2, 6, 7], options: { window: [3, 4], stride: [2, 3], padding: { top: 2, bottom: 1, left: 3 } } },
  { x: [1, 2, 2, 3], options: { window: 5, stride: 1, padding: 4 } },
  { x: [1, 2, 9, 10], options: { window: [1, 2], stride: 4 } },
  { x: [1, 2, 6, 8], options: { window: 3, stride: 2, ceil: true } },
  { x: [2, 2, 5, 40], options: { window: 4, stride: 3, padding: 2, ceil: true } },
]

function poolCases({ define }: CaseContext): ConformanceCase[] {
  return poolings.flatMap(({ x, options }) => {
    const { window, stride = window, padding = 0, ceil = false } = options
    const sides = typeof padding === 'number' ? padding : `[${Object.entries(padding).flat().join(' ')}]`
    const claim = `${formatShape(x)}, window ${[window].flat().join(' x ')}, stride ${[stride].flat().join(' x ')}, padding ${sides}${ceil ? ', ceil' : ''}`
    const places = [window]
      .flat()
      .reduce((product, extent) => product * extent, typeof window === 'number' ? window : 1)
    const inputs = { x: drawNormal(`x ${claim}`, x) }
    const comparisons: Readonly<Record<string, Comparison>> = {
      maxPool2d: { inputs, run: ({ x }) => maxPool2d(x, options), forward: exact },
      averagePool2d: { inputs, run: ({ x }) => averagePool2d(x, options), forward: terms(places) },
    }
    return Object.entries(comparisons).flatMap(([name, comparison]) => [
      define('pool', `${name} of ${claim}`, (backend, factor) => compare(backend, comparison, factor)),
      define('pool', `gradient of ${name} of ${claim}`, (backend, factor) =>
        compare(backend, { ...comparison, backward: { x: terms(places) } }, factor),
      ),
    ])
  })
}

function specialCases({ define }: CaseContext): ConformanceCase[] {
  return [
    define('pool', 'a maximum below every finite number', (backend) =>
      compareExactly(
        backend,
        {
          x: given(
            Array.from({ length: 40 }, (_, i) => (i % 5 < 3 ? -Infinity : -3e38)),
            [1, 1, 4, 10],
          ),
        },
        ({ x }) => maxPool2d(x, { window: 2, stride: 1, padding: 1 }),
      ),
    ),
    define('pool', 'infinities', (backend) =>
      compareExactly(backend, { x: given([1, Infinity, 2, 3, -Infinity, -Infinity, 4, 5], [1, 1, 2, 4]) }, ({ x }) =>
        maxPool2d(x, { window: [1, 2], stride: 1 }),
      ),
    ),
    define('pool', 'NaN shows in every window that sees it, and in no other', async (backend) => {
      const x = Array.from({ length: 6 * 40 }, (_, i) => ((i * 7) % 11) - 5)
      for (const at of [0, 47, 85, 239]) x[at] = NaN
      for (const pool of [maxPool2d, averagePool2d]) {
        for (const options of [{ window: 3, stride: 1, padding: 1 }, { window: 2 }, { window: [3, 1] } as const]) {
          const marked = { x: given(x, [1, 1, 6, 40]) }
          await compare(backend, { inputs: marked, run: ({ x }) => pool(x, options), forward: terms(9) }, 1)
        }
      }
      return 0
    }),
    define('grouped conv2d', 'NaN passes, through activations too', async (backend) => {
      const x = Array.from({ length: 3 * 25 }, (_, i) => ((i * 7) % 11) - 5)
      for (const at of [7, 40]) x[at] = NaN
      for (const activation of ['none', 'relu', 'relu6'] as const) {
        for (const [shape, weight, groups] of [
          [[1, 3, 5, 5], [5, 3, 1, 1], 1],
          [[3, 1, 5, 5], [1, 1, 1, 1], 1],
          [[1, 3, 5, 5], [3, 1, 1, 1], 3],
          [[1, 3, 5, 5], [3, 1, 2, 2], 3],
        ] as const) {
          const inputs = { x: given(x, shape), weight: drawNormal(`NaN weight ${weight.join()}`, weight) }
          const run: Comparison['run'] = ({ x, weight }) => conv2d(x, weight, null, { groups, activation })
          await compare(backend, { inputs, run, forward: terms(4) }, 1)
        }
      }
      return 0
    }),
  ]
}
