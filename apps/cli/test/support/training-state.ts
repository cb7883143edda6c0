import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openWeights } from '@dit/model/node'
import { pickle, tensor, text, torchZip } from '../../../../packages/checkpoint/test/torch/build.js'

const sharded = join(import.meta.dirname, '../../../../packages/model/test/fixtures/layouts/sharded')

/** Plain values as `torch.save` keeps them beside weights. */
export type Saved = string | number | boolean | { readonly [name: string]: Saved }

/** Weights by name, float32. */
export type Weights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>

export interface TrainingState {
  /** By default those of a tiny model. */
  readonly weights?: Weights
  /** Under what the weights are kept (default `ema`); null for the whole file. */
  readonly key?: string | null
  /** An argparse.Namespace under `args`. */
  readonly args?: Readonly<Record<string, Saved>>
  /** A plain dict under `config`. */
  readonly config?: Readonly<Record<string, Saved>>
}

/** Writes a training state as scripts of DiT, SiT and others save it: weights beside the script's arguments. */
export async function writeState(path: string, state: TrainingState): Promise<void> {
  const { weights = await tinyWeights(), key = 'ema', args, config } = state
  const dict: Uint8Array[] = []
  const storages: Record<string, Uint8Array> = {}
  for (const [name, { shape, data }] of weights) {
    const storage = String(dict.length)
    dict.push(text(name), tensor({ key: storage, count: data.length, shape, strides: stridesOf(shape) }))
    storages[storage] = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  }
  if (key === null) {
    writeFileSync(path, torchZip(pickle('}(', ...dict, 'u'), storages))
    return
  }
  const beside = [
    ...(args === undefined ? [] : [text('args'), 'cargparse\nNamespace\n)', 0x81, ...dictOf(args), 'b']),
    ...(config === undefined ? [] : [text('config'), ...dictOf(config)]),
  ]
  writeFileSync(path, torchZip(pickle('}(', text(key), '}(', ...dict, 'u', ...beside, 'u'), storages))
}

/** The same with a tiny model's averages beside arguments. */
export async function writeTrainingState(path: string, args: Readonly<Record<string, Saved>>): Promise<void> {
  await writeState(path, { args })
}

/** A tiny DiT: four channels of 4 by 4, four classes, two heads. */
export async function tinyWeights(): Promise<Weights> {
  const weights = await openWeights(sharded)
  const all = new Map<string, { shape: readonly number[]; data: Float32Array }>()
  for (const [name, { shape }] of weights.entries) all.set(name, { shape, data: await weights.float32(name) })
  await weights.close()
  return all
}

type Part = number | string | Uint8Array

function dictOf(values: Readonly<Record<string, Saved>>): Part[] {
  return ['}(', ...Object.entries(values).flatMap(([name, value]) => [text(name), ...partOf(value)]), 'u']
}

function partOf(value: Saved): Part[] {
  if (typeof value === 'string') return [text(value)]
  if (typeof value === 'boolean') return [value ? 0x88 : 0x89]
  if (typeof value === 'object') return dictOf(value)
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  return [Uint8Array.of('G'.codePointAt(0)!, ...bytes)]
}

/** In elements, row-major. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
}
