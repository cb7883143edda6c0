import { type TensorFile, writeSafetensors } from '@dit/checkpoint'

/** A safetensors file of everything in `file`, changed by `edit`. */
export async function safetensorsOf(
  file: TensorFile,
  edit: (tensors: Record<string, { dtype: 'F32'; shape: number[]; data: Float32Array }>) => void = () => {},
): Promise<Uint8Array> {
  const tensors: Record<string, { dtype: 'F32'; shape: number[]; data: Float32Array }> = {}
  for (const [name, { shape }] of file.entries) {
    tensors[name] = { dtype: 'F32', shape: [...shape], data: await file.float32(name) }
  }
  edit(tensors)
  return writeSafetensors(tensors)
}
