import type { Activation } from '../../backend.js'
import { attention } from '../../ops/attention.js'
import { gatedResidual } from '../../ops/gated-residual.js'
import { layerNormModulate } from '../../ops/layer-norm.js'
import { linear } from '../../ops/linear.js'
import { sizeOf } from '../../shape.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare } from '../compare.js'
import { roundings, terms } from '../tolerance.js'
import { drawNormal } from '../values.js'

export function fusedCases(context: CaseContext): ConformanceCase[] {
  return [...linearCases(context), ...normCases(context), ...attentionCases(context), ...residualCases(context)]
}

function linearCases({ define, operands }: CaseContext): ConformanceCase[] {
  const cases: ConformanceCase[] = []
  const activations: readonly Activation[] = ['none', 'gelu', 'silu']
  for (const [rows, K, O] of [
    [[1], 1, 1],
    [[3], 5, 7],
    [[2, 9], 8, 12],
    [[17], 33, 65],
    [[2, 3, 2], 16, 4],
    [[1], 5000, 3],
  ] as const) {
    for (const activation of activations) {
      for (const useBias of [true, false]) {
        const claim = `[${[...rows, K].join(', ')}] to ${O}, activation ${activation}, ${useBias ? 'with' : 'without'} bias`
        const length = { x: terms(O), weight: terms(sizeOf(rows)) }
        cases.push(
          define('linear', claim, (backend, factor) =>
            compare(
              backend,
              {
                inputs: {
                  x: drawNormal(`x ${claim}`, [...rows, K]),
                  weight: drawNormal(`weight ${claim}`, [O, K], 2 / Math.sqrt(K)),
                  ...(useBias ? { bias: drawNormal(`bias ${claim}`, [O]) } : {}),
                },
                run: ({ x, weight, bias = null }) => linear(x, weight, bias, { activation }),
                operands,
                forward: terms(K),
                backward: { ...length, ...(useBias ? { bias: length.weight } : {}) },
              },
              factor,
            ),
          ),
        )
      }
    }
  }
  for (const wanted of [['x'], ['weight'], ['bias'], ['weight', 'bias']]) {
    cases.push(
      define('linear', `only the gradient of ${wanted.join(' and ')}`, (backend, factor) =>
        compare(
          backend,
          {
            inputs: { x: drawNormal('lx', [6, 5]), weight: drawNormal('lw', [7, 5]), bias: drawNormal('lb', [7]) },
            run: ({ x, weight, bias }) => linear(x, weight, bias, { activation: 'gelu' }),
            operands,
            forward: terms(5),
            backward: Object.fromEntries(wanted.map((name) => [name, terms(7)])),
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
    { claim: '[1, 1, 4]', shape: [1, 1, 4] },
    { claim: '[2, 3, 5]', shape: [2, 3, 5] },
    { claim: '[3, 65, 72]', shape: [3, 65, 72] },
    { claim: '[2, 1, 5000]', shape: [2, 1, 5000] },
    { claim: 'rows with mean 1000', shape: [2, 3, 64], offset: 1000 },
    { claim: 'rows of 1e-3, where epsilon counts', shape: [2, 3, 64], scale: 1e-3 },
    { claim: 'rows of 1e4', shape: [2, 3, 64], scale: 1e4 },
  ]
  return variants.map(({ claim, shape, scale = 1, offset = 0 }) =>
    define('norm', `layerNormModulate of ${claim}`, (backend, factor) => {
      const [B, N, D] = shape
      // Sums over the row for x, over the tokens for shift and scale.
      return compare(
        backend,
        {
          inputs: {
            x: drawNormal(`x ${claim}`, shape, scale, offset),
            shift: drawNormal(`shift ${claim}`, [B, D]),
            scale: drawNormal(`scale ${claim}`, [B, D]),
          },
          run: ({ x, shift, scale }) => layerNormModulate(x, shift, scale, 1e-6),
          forward: terms(D),
          backward: { x: terms(D), shift: terms(N), scale: terms(N + D) },
        },
        factor,
      )
    }),
  )
}

function attentionCases({ define, operands }: CaseContext): ConformanceCase[] {
  const cases: ConformanceCase[] = []
  for (const headDim of [1, 8, 64, 72]) {
    for (const N of [1, 3, 65]) {
      const [B, numHeads] = N === 3 ? [2, 3] : [1, 2]
      const claim = `${numHeads} heads of width ${headDim}, ${N} tokens, batch ${B}`
      cases.push(
        define('attention', claim, (backend, factor) =>
          compare(
            backend,
            {
              inputs: { qkv: drawNormal(claim, [B, N, 3 * numHeads * headDim]) },
              run: ({ qkv }) => attention(qkv, numHeads),
              operands,
              forward: terms(N + headDim),
              backward: { qkv: terms(N + headDim) },
            },
            factor,
          ),
        ),
      )
    }
  }
  cases.push(
    define('attention', 'scores as large as 1e4', (backend, factor) =>
      compare(
        backend,
        {
          inputs: { qkv: drawNormal('sharp', [2, 5, 48], 70) },
          run: ({ qkv }) => attention(qkv, 2),
          operands,
          forward: terms(13),
          backward: {
            // Where one weight is 1, the gradient of its score is the difference of two equal numbers, each a sum of 16
            // products of up to 70 that comes to 700 or so, and is multiplied by a key of up to 200 and by 1/4.
            qkv: { kind: 'eps', eps: () => (2 * 700 * 200) / 4 },
          },
        },
        factor,
      ),
    ),
  )
  return cases
}

function residualCases({ define }: CaseContext): ConformanceCase[] {
  return [
    [1, 1, 1],
    [2, 3, 5],
    [3, 65, 72],
    [1, 700, 3],
  ].map(([B, N, D]) =>
    define('residual', `gatedResidual of [${B}, ${N}, ${D}]`, (backend, factor) =>
      compare(
        backend,
        {
          inputs: {
            x: drawNormal('residual x', [B, N, D]),
            gate: drawNormal('residual gate', [B, D]),
            h: drawNormal('residual h', [B, N, D]),
          },
          run: ({ x, gate, h }) => gatedResidual(x, gate, h),
          forward: terms(2),
          backward: { x: roundings(1), gate: terms(N), h: roundings(1) },
        },
        factor,
      ),
    ),
  )
}
