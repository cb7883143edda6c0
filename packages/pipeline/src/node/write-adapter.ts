import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { type WrittenShard, writeSafetensorsFile } from '@dit/checkpoint/node'
import { adapterMetadata } from '@dit/model'
import type { OpenModel } from '../open-model.js'
import { OpenError } from '../option-error.js'
import { ExistsError } from './write-weights.js'

/**
 * Saves the low-rank adapters of a run by themselves, under the names of PEFT without its prefix: `blocks.0.attn.qkv.lora_A.weight`. What
 * else differs from the weights that the run began from, such as a table of other classes, is in the file, too.
 *
 * @param model of a run of adapters, from `openModel`
 * @throws OpenError where the model has no adapters, the name does not end in .safetensors, or something is there
 */
export async function writeAdapter(
  path: string,
  model: OpenModel,
  { force = false }: { readonly force?: boolean } = {},
): Promise<WrittenShard> {
  const { adapter } = model
  if (adapter === undefined) {
    throw new OpenError(model.name, 'it has no low-rank adapters to save: only a run that trained them does')
  }
  if (extname(path).toLowerCase() !== '.safetensors') {
    throw new OpenError(path, 'adapters are saved as .safetensors; its name must end so')
  }
  if (!force && (await stat(path).catch(() => null)) !== null) throw new ExistsError(path)
  const { weights, description } = adapter
  const tensors = [...weights.entries].map(
    ([name, { dtype, shape }]) =>
      [name, { dtype, shape, data: async () => (await weights.tensor(name)).data }] as const,
  )
  const written = await writeSafetensorsFile(path, new Map(tensors), {
    metadata: adapterMetadata(description),
    sync: true,
  })
  return { path, ...written }
}
