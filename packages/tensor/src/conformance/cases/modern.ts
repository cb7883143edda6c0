import { crossAttention } from '../../ops/cross-attention.js'
import { qkNormRope } from '../../ops/qk-norm-rope.js'
import { rmsNormModulate } from '../../ops/rms-norm.js'
import { swiglu } from '../../ops/swiglu.js'
import { sizeOf } from '../../shape.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { compare } from '../compare.js'
import { terms, type Tolerance } from '../tolerance.js'
import { drawNormal, givenIntegers, type Input } from '../values.js'

/** Parts of newer transformers. */
export function modernCases(context: CaseContext): ConformanceCase[] {
  return [
    ...swigluCases(context),
    ...rmsNormCases(context),
    ...qkNormRopeCases(context),
    ...crossAttentionCases(context),
  ]
}

function swigluCases({ define }: CaseContext): ConformanceCase[] {
  const variants = [
    { shape: [1, 2] },
    { shape: [3, 10] },
    { shape: [2, 9, 66] },
    { shape: [70, 344] },
    { shape: [2, 40_002] },
    { shape: [4, 64], scale: 30, claim: ' of 30 and more' },
  ]
  return variants.map(({ shape, scale = 1, claim = '' }) =>
    define('swiglu', `[${shape.join(', ')}]${claim}`, (backend, factor) =>
      compare(
        backend,
        {
          inputs: { x: drawNormal(`swiglu ${shape.join()}`, shape, scale) },
          run: ({ x }) => swiglu(x),
          forward: terms(4),
          backward: { x: terms(8) },
        },
        factor,
      ),
    ),
  )
}

function rmsNormCases({ define }: CaseContext): ConformanceCase[] {
  const variants = [
    { claim: '[1, 1, 4]', shape: [1, 1, 4] },
    { claim: '[2, 3, 5]', shape: [2, 3, 5] },
    { claim: '[3, 65, 72]', shape: [3, 65, 72] },
    { claim: '[2, 1, 5000]', shape: [2, 1, 5000] },
    { claim: 'rows of 1e-3, where epsilon counts', shape: [2, 3, 64], scale: 1e-3 },
    { claim: 'rows of 1e4', shape: [2, 3, 64], scale: 1e4 },
  ]
  const modulations = [[], ['scale'], ['shift'], ['shift', 'scale']]
  return variants.flatMap(({ claim, shape, scale: size = 1 }) =>
    modulations.map((names) =>
      define('rmsNorm', `${claim}, with ${['weight', ...names].join(', ')}`, (backend, factor) => {
        const [B, N, D] = shape
        const vectors = Object.fromEntries(names.map((name) => [name, drawNormal(`${name} ${claim}`, [B, D])]))
        const ofVectors: Record<string, Tolerance> = { shift: terms(N), scale: terms(N + D) }
        return compare(
          backend,
          {
            inputs: {
              x: drawNormal(`x ${claim}`, shape, size),
              weight: drawNormal(`weight ${claim}`, [D]),
              ...vectors,
            },
            run: ({ x, weight, shift, scale }) => rmsNormModulate(x, weight, { shift, scale }, 1e-6),
            forward: terms(D),
            backward: {
              x: terms(D),
              weight: terms(B * N + D),
              ...Object.fromEntries(names.map((name) => [name, ofVectors[name]])),
            },
          },
          factor,
        )
      }),
    ),
  )
}

function qkNormRopeCases({ define }: CaseContext): ConformanceCase[] {
  const sizes = [
    { B: 1, N: 1, numHeads: 1, headDim: 2 },
    { B: 2, N: 3, numHeads: 3, headDim: 4 },
    { B: 2, N: 17, numHeads: 2, headDim: 24 },
    { B: 1, N: 65, numHeads: 2, headDim: 64 },
    { B: 3, N: 9, numHeads: 1, headDim: 72 },
    { B: 1, N: 2, numHeads: 2, headDim: 300 },
  ]
  const steps = [
    { claim: 'norm and rotation', hasNorm: true, hasRotation: true },
    { claim: 'norm', hasNorm: true, hasRotation: false },
    { claim: 'rotation', hasNorm: false, hasRotation: true },
  ]
  return sizes.flatMap(({ B, N, numHeads, headDim }) =>
    steps.map(({ claim, hasNorm, hasRotation }) => {
      const what = `${claim} of ${numHeads} heads of width ${headDim}, ${N} tokens, batch ${B}`
      return define('qkNormRope', what, (backend, factor) => {
        const weights = { q: drawNormal(`q ${what}`, [headDim]), k: drawNormal(`k ${what}`, [headDim]) }
        const shape = [B, N, 3 * numHeads * headDim]
        return compare(
          backend,
          {
            inputs: {
              qkv: drawNormal(`qkv ${what}`, shape),
              ...(hasNorm ? weights : {}),
              ...(hasRotation ? angles(what, [N, headDim]) : {}),
            },
            run: ({ qkv, q, k, cos, sin }) =>
              qkNormRope(qkv, numHeads, {
                norm: hasNorm ? { q, k, epsilon: 1e-6 } : null,
                rotation: hasRotation ? { cos, sin } : null,
              }),
            forward: hasNorm ? terms(headDim) : terms(2),
            backward: {
              qkv: hasNorm ? terms(headDim) : terms(2),
              ...(hasNorm ? { q: terms(B * N * numHeads + headDim), k: terms(B * N * numHeads + headDim) } : {}),
            },
          },
          factor,
        )
      })
    }),
  )
}

function crossAttentionCases({ define, operands }: CaseContext): ConformanceCase[] {
  const variants = [
    { B: 1, N: 1, M: 1, numHeads: 1, headDim: 1 },
    { B: 2, N: 3, M: 2, numHeads: 3, headDim: 8 },
    { B: 3, N: 5, M: 7, numHeads: 2, headDim: 12, lengths: [1, 7, 4] },
    { B: 2, N: 65, M: 20, numHeads: 1, headDim: 64, lengths: [20, 3] },
    { B: 2, N: 4, M: 150, numHeads: 1, headDim: 72, lengths: [130, 66] },
  ]
  return variants.map(({ B, N, M, numHeads, headDim, lengths }) => {
    const D = numHeads * headDim
    const claim = `${numHeads} heads of width ${headDim}, ${N} tokens to ${lengths === undefined ? M : lengths.join(' and ')} of ${M}, batch ${B}`
    return define('crossAttention', claim, (backend, factor) =>
      compare(
        backend,
        {
          inputs: {
            q: drawNormal(`q ${claim}`, [B, N, D]),
            k: drawNormal(`k ${claim}`, [B, M, D]),
            v: drawNormal(`v ${claim}`, [B, M, D]),
            ...(lengths === undefined ? {} : { lengths: givenIntegers(lengths) }),
          },
          run: ({ q, k, v, lengths: given }) => crossAttention(q, k, v, numHeads, { lengths: given ?? null }),
          operands,
          forward: terms(M + headDim),
          backward: { q: terms(M + headDim), k: terms(N + headDim), v: terms(N) },
        },
        factor,
      ),
    )
  })
}

/** Cosines and sines of an angle for each pair of channels of a token. */
function angles(label: string, shape: readonly number[]): { cos: Input; sin: Input } {
  const drawn = drawNormal(`angles ${label}`, [sizeOf(shape) / 2], 3).data
  const table = (fn: (angle: number) => number) => ({
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => fn(drawn[i >> 1])),
  })
  return { cos: table(Math.cos), sin: table(Math.sin) }
}
