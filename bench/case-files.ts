import { join } from 'node:path'
import type { StoredArray } from '@dit/checkpoint'
import { writeSafetensorsFile } from '@dit/checkpoint/node'
import { gaussianDiffusion } from '@dit/diffusion'
import { type DiTConfig, parameterShapes } from '@dit/model'
import { integers, normals, randomStream, type RandomStream, uniforms } from '@dit/random'
import { type Shape, sizeOf } from '@dit/tensor'
import { sincosPositions, tokenGrid } from '@dit/tokenizer'
import type { CaseSpec } from './cases.js'

/** Where the workers of a case find what they all compute with. */
export interface CaseFiles {
  /** Parameters by state-dict name; null for a case without a model. */
  readonly weights: string | null
  readonly inputs: string
}

/** Writes weights and inputs of a case to a folder, as safetensors. The same files come out every time. */
export async function writeCaseFiles(folder: string, spec: CaseSpec): Promise<CaseFiles> {
  const inputs = join(folder, 'inputs.safetensors')
  await writeSafetensorsFile(inputs, inputsOf(spec))
  if (!('model' in spec)) return { weights: null, inputs }
  const weights = join(folder, 'weights.safetensors')
  const { model } = spec
  await writeSafetensorsFile(
    weights,
    Object.fromEntries(
      Object.entries(parameterShapes(model)).map(([name, shape]) => [
        name,
        { dtype: 'F32' as const, shape, data: () => weightValues(model, name, shape) },
      ]),
    ),
  )
  return { weights, inputs }
}

/**
 * Like the initialisation of a DiT, but nothing is zero: a fresh model is the zero function, and losses would agree
 * whatever an engine made of its blocks.
 */
function weightValues(model: DiTConfig, name: string, shape: Shape): Float32Array {
  const stream = randomStream(0, 'bench', name)
  const size = sizeOf(shape)
  if (name === 'pos_embed') return sincosPositions(model.hiddenSize, tokenGrid(model.inputSize, model.patchSize))
  if (name.endsWith('.bias') || name.includes('embed')) return normals(stream, size).map((draw) => 0.02 * draw)
  const [fanOut] = shape
  const bound = Math.sqrt(6 / (fanOut + size / fanOut))
  return uniforms(stream, size).map((draw) => bound * (2 * draw - 1))
}

/** Inputs by name. Diffusion tables are float64, indices int32. */
function inputsOf(spec: CaseSpec): Record<string, StoredArray> {
  const stream = (name: string) => randomStream(1, 'bench', name)
  switch (spec.kind) {
    case 'train-step': {
      const { model, batch } = spec
      const shape = [batch, ...imageShape(model)]
      return {
        xt: normal(stream('xt'), shape),
        noise: normal(stream('noise'), shape),
        timesteps: int32(integers(stream('timesteps'), 1000, batch)),
        labels: int32(integers(stream('labels'), model.numClasses, batch)),
      }
    }
    case 'sample': {
      const { model, batch } = spec
      const { timestepMap, tables } = gaussianDiffusion({ respacing: [spec.steps] })
      return {
        xT: normal(stream('xT'), [batch, ...imageShape(model)]),
        labels: int32(integers(stream('labels'), model.numClasses, batch)),
        timesteps: int32(timestepMap),
        alphaBar: { dtype: 'F64', shape: [spec.steps], data: tables.alphaBar },
      }
    }
    case 'gemm': {
      const { m, k, n, transposeA, transposeB } = spec
      const scale = k ** -0.5 // results near 1
      return {
        a: normal(stream('a'), transposeA ? [k, m] : [m, k], scale),
        b: normal(stream('b'), transposeB ? [n, k] : [k, n]),
      }
    }
    case 'attention': {
      const { batch, tokens, hiddenSize } = spec
      return {
        qkv: normal(stream('qkv'), [batch, tokens, 3 * hiddenSize]),
        dout: normal(stream('dout'), [batch, tokens, hiddenSize]),
      }
    }
    case 'optimizer':
      return { parameter: normal(stream('parameter'), [spec.size]), gradient: normal(stream('gradient'), [spec.size]) }
    case 'rng':
      return {}
    default:
      throw new RangeError(`writeCaseFiles: unknown case (got ${JSON.stringify(spec)})`)
  }
}

/** `[C, H, W]` */
export function imageShape({ inChannels, inputSize, patchSize }: DiTConfig): readonly [number, number, number] {
  const [rows, columns] = tokenGrid(inputSize, patchSize)
  return [inChannels, rows * patchSize, columns * patchSize]
}

function normal(stream: RandomStream, shape: Shape, scale = 1): StoredArray {
  return { dtype: 'F32', shape, data: normals(stream, sizeOf(shape)).map((draw) => scale * draw) }
}

function int32(data: Int32Array): StoredArray {
  return { dtype: 'I32', shape: [data.length], data }
}
