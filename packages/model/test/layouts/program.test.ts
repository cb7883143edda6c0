import type { StoredArray, StoredSpec, TensorFile } from '@dit/checkpoint'
import { sizeOf, type Shape } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import {
  type Description,
  descriptionFromMetadata,
  descriptionMetadata,
  type DiTConfig,
  parameterShapes,
  readLayout,
  recogniseProgram,
  reportLayout,
  type SavedArguments,
} from '../../src/index.js'
import { TINY } from '../tiny.js'

const config: DiTConfig = { ...TINY, mlpRatio: 4, learnSigma: false }
const width = config.hiddenSize
const plain = new Map<string, Shape>(Object.entries(parameterShapes(config)))
const having = (...more: (readonly [string, Shape])[]) => new Map([...plain, ...more])
const saved = (values: Record<string, string | number | boolean>): SavedArguments => new Map(Object.entries(values))

function fileOf(shapes: Iterable<readonly [string, Shape]>, metadata: Record<string, string> = {}): TensorFile {
  const entries = new Map<string, StoredSpec>([...shapes].map(([name, shape]) => [name, { dtype: 'F32', shape }]))
  const tensor = async (name: string): Promise<StoredArray> => {
    const { shape } = entries.get(name)!
    return { dtype: 'F32', shape, data: new Float32Array(sizeOf(shape)) }
  }
  const file = { entries, tensor, float32: async (name: string) => (await tensor(name)).data as Float32Array }
  return Object.assign(file, { metadata })
}

/** A JiT, small but for its depth. */
const jit: DiTConfig = {
  ...config,
  depth: 12,
  norm: 'rms',
  mlp: 'swiglu',
  qkNorm: true,
  rope: true,
  contextTokens: 4,
  contextStart: 4,
  patchBottleneck: 3,
}
/** Its names, under the prefix that its checkpoints have. */
const jitFile = (of = jit) => fileOf(Object.entries(parameterShapes(of)).map(([name, shape]) => [`net.${name}`, shape]))

describe('arguments', () => {
  test.each([
    ['Linear', 'velocity', 'linear', 'velocity'],
    ['GVP', 'score', 'gvp', 'score'],
    ['VP', 'noise', 'vp', 'epsilon'],
  ])('of SiT: %s and %s', (path_type, prediction, interpolant, ours) => {
    expect(recogniseProgram(plain, saved({ path_type, prediction, model: 'SiT-S/2' }))).toEqual({
      program: 'SiT',
      process: { kind: 'flow', networkTime: 'towardsData', interpolant, prediction: ours },
      needs: [],
    })
  })

  test('of SiT weigh a score, and never a velocity', () => {
    const weighting = (prediction: string) =>
      recogniseProgram(plain, saved({ path_type: 'VP', prediction, loss_weight: 'likelihood' })).process!['weighting']
    expect([weighting('score'), weighting('velocity')]).toEqual(['likelihood', undefined])
  })

  test.each([
    ['linear', 'linear'],
    ['cosine', 'gvp'],
  ])('of REPA, whose time runs from data to noise: %s', (path_type, interpolant) => {
    const process = { kind: 'flow', networkTime: 'towardsNoise', interpolant, prediction: 'velocity' }
    const found = recogniseProgram(plain, saved({ path_type, prediction: 'v' }))
    expect(found).toEqual({ program: 'REPA', process, needs: [] })
  })

  test('of LightningDiT name its process, and rotary positions that leave no name behind', () => {
    const options = { 'model.use_rope': true, 'transport.path_type': 'Linear', 'transport.prediction': 'velocity' }
    expect(readLayout(fileOf(plain), { saved: saved(options) })).toMatchObject({
      program: 'LightningDiT',
      process: { kind: 'flow', networkTime: 'towardsData', interpolant: 'linear', prediction: 'velocity' },
      config: { rope: true },
    })
  })

  test('of SiT that name its network and no path are those of a flow all the same', () => {
    const process = { kind: 'flow', networkTime: 'towardsData' }
    expect(recogniseProgram(plain, saved({ model: 'SiT-XL/2' }))).toEqual({ program: 'SiT', process, needs: [] })
  })

  test.each(['true', 'True', 1])('of LightningDiT may say %j', (use_rope) => {
    const rope = (value: string | number) =>
      readLayout(fileOf(plain), { saved: saved({ 'model.use_rope': value }) }).config.rope
    expect([rope(use_rope), rope('false')]).toEqual([true, undefined])
  })

  test('of DiT say no process, and without any nothing is known', () => {
    expect(recogniseProgram(plain, saved({ model: 'DiT-S/2' }))).toEqual({ program: 'DiT', process: null, needs: [] })
    expect(recogniseProgram(plain)).toEqual({ program: null, process: null, needs: [] })
  })

  test('that a program does not have are refused by name', () => {
    const read = (values: Record<string, string | number>) => () => recogniseProgram(plain, saved(values))
    expect(read({ path_type: 'Cubic' })).toThrow(
      'weights: the saved path_type of SiT must be Linear, GVP, VP (got "Cubic")',
    )
    expect(read({ path_type: 'VP', prediction: 'x' })).toThrow('prediction of SiT must be velocity, score, noise')
    expect(read({ path_type: 'linear', prediction: 'x' })).toThrow('prediction of REPA must be v (got "x")')
    expect(read({ path_type: 3 })).toThrow('(got 3)')
  })
})

describe('names', () => {
  test("REPA's projectors are told and left out", () => {
    const repa = having(['projectors.0.0.weight', [8, width]], ['projectors.1.4.bias', [5]])
    const weights = readLayout(fileOf(repa))
    expect(weights).toMatchObject({
      program: 'REPA',
      process: { kind: 'flow', networkTime: 'towardsNoise', prediction: 'velocity' },
      layout: 'reference',
    })
    expect([...weights.entries.keys()]).toEqual([...plain.keys()])
  })

  test.each<[string, Partial<DiTConfig>, (readonly [string, Shape])[], string | null]>([
    ['RoPE', { rope: true }, [['feat_rope.freqs_cos', [4, 4]]], 'LightningDiT'],
    ['SwiGLU', { mlp: 'swiglu' }, [], 'LightningDiT'],
    ['SwiGLU of another width', { mlp: 'swiglu', mlpRatio: 3 }, [], 'LightningDiT'],
    ['RMS norm', { norm: 'rms' }, [], 'LightningDiT'],
    ['QK norm', { qkNorm: true }, [], null],
    ['QK norm of REPA', { qkNorm: true }, [['projectors.0.0.weight', [8, width]]], 'REPA'],
    ['modulation without shift', { modulationShift: false }, [], null],
  ])('of %s are read', (_, fields, more, program) => {
    const of = { ...config, ...fields }
    const shapes = Object.entries(parameterShapes(of))
    const weights = readLayout(fileOf([...shapes, ...more]), { hints: { numHeads: 2 } })
    expect(weights.config).toEqual(of)
    expect(weights.program).toBe(program)
    expect([...weights.entries.keys()]).toEqual(shapes.map(([name]) => name))
    const isAssumed = weights.assumptions.includes('no rotary positions')
    expect(isAssumed).toBe(program === 'LightningDiT' && fields.rope !== true)
  })

  test('of QK norms tell the heads, and each must be there', () => {
    const shapes = new Map(Object.entries(parameterShapes({ ...config, qkNorm: true })))
    expect(readLayout(fileOf(shapes)).config.numHeads).toBe(2)
    expect(readLayout(fileOf(shapes)).assumptions.join()).not.toMatch(/heads/)
    shapes.delete('blocks.1.attn.k_norm.bias')
    expect(() => readLayout(fileOf(shapes))).toThrow('missing: blocks.1.attn.k_norm.bias [4]')
    const known = { ...config, qkNorm: true }
    expect(() => readLayout(fileOf(plain), { config: known })).toThrow('missing: blocks.0.attn.q_norm.weight [4]')
  })

  test('of JiT are read under its prefix', () => {
    const { config: read, program, process, assumptions } = readLayout(jitFile())
    expect(read).toEqual(jit)
    expect([program, process]).toEqual([
      'JiT',
      {
        kind: 'flow',
        networkTime: 'towardsData',
        interpolant: 'linear',
        prediction: 'x0',
        weighting: 'velocity',
        sigmaFloor: 0.05,
      },
    ])
    expect(assumptions).toContain('label tokens from block 4 on, as in the published JiT of this depth')
    const shallow = { ...jit, depth: 2, contextStart: 1 }
    expect(() => readLayout(jitFile(shallow))).toThrow(
      'the label tokens of a JiT of depth 2 join before a block that no file tells; give the configuration, with contextStart',
    )
    expect(readLayout(jitFile(shallow), { config: shallow }).config).toEqual(shallow)
  })

  test('of JiT with other noise are refused, and their sizes are told', () => {
    const report = reportLayout(jitFile(), { saved: saved({ t_eps: 0.1, noise_scale: 2 }) })
    expect(report).toMatchObject({
      program: 'JiT',
      process: { kind: 'flow', networkTime: 'towardsData', prediction: 'x0', sigmaFloor: 0.1 },
      weights: null,
      needs: ['noise of scale 2'],
      refusal: "these are JiT's and need noise of scale 2, which is not built yet",
      sketch: { config: jit },
    })
  })

  test('of a network that dit describes are not taken for those of another program', () => {
    const own: DiTConfig = { ...config, norm: 'rms', mlp: 'swiglu', qkNorm: true }
    const file = fileOf(Object.entries(parameterShapes(own)), descriptionMetadata({ network: own }))
    expect(readLayout(file)).toMatchObject({ config: own, program: null, process: null, isDescribed: true })
  })

  test('half of those of a DiT are missed by name', () => {
    const half = [...plain].filter(([name]) => !name.startsWith('blocks.1.') && name !== 't_embedder.mlp.0.bias')
    expect(reportLayout(fileOf(half)).refusal).toMatch(/missing: t_embedder\.mlp\.0\.bias \[8\]/)
    const odd = [...plain].filter((_, i) => i % 2 === 0)
    expect(reportLayout(fileOf(odd)).refusal).toMatch(/^the names must be those of a DiT \(missing: /)
    expect(reportLayout(fileOf(half))).toMatchObject({ weights: null, needs: [], sketch: null, program: null })
  })
})

describe('metadata', () => {
  const process = { kind: 'flow', interpolant: 'gvp' }

  test('keep process and program', () => {
    const metadata = descriptionMetadata({ network: config, process, program: 'SiT' })
    expect(readLayout(fileOf(plain, metadata))).toMatchObject({ process, program: 'SiT', config })
    expect(descriptionMetadata({ network: config })).toEqual({ format: 'pt', 'dit.config': JSON.stringify(config) })
  })

  test('that are no process, or name no program, are refused', () => {
    const read = (metadata: Record<string, string>) => () => readLayout(fileOf(plain, metadata))
    expect(read({ 'dit.process': '{' })).toThrow('the metadata dit.process must be JSON')
    expect(read({ 'dit.process': '3' })).toThrow('the metadata dit.process must be a process')
    expect(read({ 'dit.process': '{}' })).toThrow('the metadata dit.process must be a process with a kind')
    expect(read({ 'dit.program': 'UNet' })).toThrow('dit.program must be one of DiT, SiT, REPA, LightningDiT, JiT')
  })

  test('keep all that a file says of its model', () => {
    const description: Description = {
      network: config,
      process,
      program: null,
      classNames: Array.from({ length: config.numClasses }, (_, label) => `class ${label}`),
      pixelRange: [-1, 1],
      latents: { scale: 0.5, mean: [0.1, 0, 0, 0], deviation: 2 },
    }
    const metadata = descriptionMetadata(description)
    expect(descriptionFromMetadata(metadata)).toEqual(description)
    const { network: _, ...about } = description
    expect(readLayout(fileOf(plain, metadata))).toMatchObject({ ...about, config, isDescribed: true })
    expect(descriptionFromMetadata({})).toBeNull()
    expect(readLayout(fileOf(plain))).toMatchObject({
      classNames: null,
      pixelRange: null,
      latents: null,
      isDescribed: false,
    })
  })

  test.each([
    [{ 'dit.classes': '["one"]' }, /the metadata dit.classes must have \d+ names, one for each class \(it has 1\)/],
    [{ 'dit.classes': '[1]' }, 'the metadata dit.classes must be a list of names'],
    [{ 'dit.pixels': '[1, 1]' }, 'the metadata dit.pixels must be two different numbers'],
    [{ 'dit.latents': '{"scale": 0}' }, 'the metadata dit.latents must have a scale above 0'],
    [{ 'dit.latents': '{"scale": 1, "deviation": [1, 0]}' }, 'the metadata dit.latents must have a scale above 0'],
  ])('that say %j are refused', (metadata, problem) => {
    expect(() => readLayout(fileOf(plain, metadata as Record<string, string>))).toThrow(problem)
  })
})
