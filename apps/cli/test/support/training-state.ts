import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openWeights } from '@dit/model/node'
import { pickle, tensor, text, torchZip } from '../../../../packages/checkpoint/test/torch/build.js'

const sharded = join(import.meta.dirname, '../../../../packages/model/test/fixtures/layouts/sharded')

/** Writes a training state as scripts of DiT and SiT save it: a tiny model's averages beside the script's arguments. */
export async function writeTrainingState(path: string, args: Readonly<Record<string, string>>): Promise<void> {
  const weights = await openWeights(sharded)
  const dict: Uint8Array[] = []
  const storages: Record<string, Uint8Array> = {}
  for (const [name, { shape }] of weights.entries) {
    const values = await weights.float32(name)
    const key = String(dict.length)
    dict.push(text(name), tensor({ key, count: values.length, shape, strides: stridesOf(shape) }))
    storages[key] = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  }
  await weights.close()
  const namespace = ['cargparse\nNamespace\n)', 0x81, '}(', ...Object.entries(args).flat().map(text), 'ub']
  writeFileSync(
    path,
    torchZip(pickle('}(', text('ema'), '}(', ...dict, 'u', text('args'), ...namespace, 'u'), storages),
  )
}

/** In elements, row-major. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
}
