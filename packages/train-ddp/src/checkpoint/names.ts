/** Folder of a step's checkpoint within a run. */
export function checkpointPath(step: number): string {
  return `checkpoints/step-${String(step).padStart(7, '0')}`
}

/** Step of a folder named so, or null. */
export function checkpointStep(name: string): number | null {
  const match = /^step-(\d{7,})$/.exec(name)
  return match === null ? null : Number(match[1])
}

/** Files that every checkpoint has; the manifest is written last. Those of tensors may be in shards instead. */
export const CHECKPOINT_FILES = {
  model: 'model.safetensors',
  ema: 'ema.safetensors',
  optimizer: 'optimizer.safetensors',
  state: 'state.json',
} as const

/** Parts that hold tensors in every checkpoint. Averages beside `ema` are parts of their own names. */
export const TENSOR_PARTS = ['model', 'ema', 'optimizer'] as const

/** `model`, `optimizer`, or the name of an average: `ema` and those of the recipe. */
export type TensorPart = string

/** File of a part that is not in shards. */
export function tensorFile(part: TensorPart): string {
  return `${part}.safetensors`
}

export const MANIFEST = 'manifest.json'

/** Index of a part in shards: which of them has each tensor. */
export function shardsIndexFile(part: TensorPart): string {
  return `${tensorFile(part)}.index.json`
}

/** File with the tensors of writer `rank` out of `writers`, counted from 1 as others name shards. */
export function shardFile(part: TensorPart, rank: number, writers: number): string {
  const [number, count] = [rank + 1, writers].map((n) => String(n).padStart(5, '0'))
  return `${part}-${number}-of-${count}.safetensors`
}
