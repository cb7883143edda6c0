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

/** The names of a JiT. */
function jitShapes(): Map<string, Shape> {
  const shapes = new Map(plain)
  shapes.delete('x_embedder.proj.weight')
  shapes.delete('x_embedder.proj.bias')
  for (let i = 0; i < config.depth; i++) {
    for (const name of ['fc1', 'fc2']) {
      shapes.delete(`blocks.${i}.mlp.${name}.weight`)
      shapes.delete(`blocks.${i}.mlp.${name}.bias`)
    }
    shapes.set(`blocks.${i}.mlp.w12.weight`, [6 * width, width])
    shapes.set(`blocks.${i}.mlp.w3.weight`, [width, 3 * width])
    shapes.set(`blocks.${i}.norm1.weight`, [width])
    shapes.set(`blocks.${i}.attn.q_norm.weight`, [width / 2])
  }
  return shapes
    .set('x_embedder.proj1.weight', [3, config.inChannels, config.patchSize, config.patchSize])
    .set('x_embedder.proj2.weight', [width, 3, 1, 1])
    .set('in_context_posemb', [1, 4, width])
}

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

  test('of LightningDiT name the blocks that leave no name behind', () => {
    const options = { 'model.use_rope': true, 'transport.path_type': 'Linear', 'transport.prediction': 'velocity' }
    expect(recogniseProgram(plain, saved(options))).toMatchObject({
      program: 'LightningDiT',
      process: { kind: 'flow', networkTime: 'towardsData', interpolant: 'linear', prediction: 'velocity' },
      needs: ['RoPE'],
    })
  })

  test('of SiT that name its network and no path are those of a flow all the same', () => {
    const process = { kind: 'flow', networkTime: 'towardsData' }
    expect(recogniseProgram(plain, saved({ model: 'SiT-XL/2' }))).toEqual({ program: 'SiT', process, needs: [] })
  })

  test.each(['true', 'True', 1])('of LightningDiT may say %j', (use_rope) => {
    expect(recogniseProgram(plain, saved({ 'model.use_rope': use_rope })).needs).toEqual(['RoPE'])
    expect(recogniseProgram(plain, saved({ 'model.use_rope': 'false' })).needs).toEqual([])
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

  test.each<readonly [string, readonly (readonly [string, Shape])[], string]>([
    ['RoPE', [['feat_rope.freqs_cos', [8, 4]]], "these are LightningDiT's and need RoPE, which is not built yet"],
    ['SwiGLU', [['blocks.0.mlp.w12.weight', [40, width]]], "LightningDiT's and need SwiGLU, which is not built yet"],
    ['RMSNorm', [['blocks.0.norm1.weight', [width]]], "LightningDiT's and need RMSNorm, which is not built yet"],
    ['QK norm', [['blocks.1.attn.q_norm.weight', [4]]], 'they need QK norm, which is not built yet'],
    [
      'QK norm of REPA',
      [
        ['projectors.0.0.weight', [8, width]],
        ['blocks.0.attn.q_norm.weight', [4]],
      ],
      "these are REPA's and need QK norm, which is not built yet",
    ],
    [
      'modulation without shift',
      [['blocks.0.adaLN_modulation.1.weight', [4 * width, width]]],
      'they need modulation without shift, which is not built yet',
    ],
  ])('of %s are refused', (_, more, message) => {
    expect(() => readLayout(fileOf(having(...more)))).toThrow(message)
  })

  test('of JiT, under its prefix, are refused with all that is missing, and its sizes are told', () => {
    const file = fileOf([...jitShapes()].map(([name, shape]) => [`net.${name}`, shape]))
    expect(() => readLayout(file)).toThrow(
      "weights: these are JiT's and need a patch embedding of two layers, in-context tokens, SwiGLU, QK norm, RMSNorm and RoPE, which are not built yet",
    )
    const report = reportLayout(file, { saved: saved({ t_eps: 0.1, noise_scale: 2 }) })
    expect(report).toMatchObject({
      program: 'JiT',
      process: { kind: 'flow', networkTime: 'towardsData', prediction: 'x0', sigmaFloor: 0.1 },
      weights: null,
      sketch: {
        config: { hiddenSize: width, depth: config.depth, patchSize: config.patchSize, numHeads: 2, mlpRatio: 3 },
      },
    })
    expect(report.needs).toContain('noise of scale 2')
    expect(report.refusal).toMatch(/^these are JiT's and need/)
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
