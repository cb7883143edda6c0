import { openSafetensorsFile } from '@dit/checkpoint/node'
import { type DiTConfig, isTrainable } from '@dit/model'
import * as tf from '@tensorflow/tfjs-core'

/** Variables from a state dict: linear weights, and the patch embedding's as one, turned to `[in, out]`. */
export async function readVariables(config: DiTConfig, path: string): Promise<Record<string, tf.Variable>> {
  const file = await openSafetensorsFile(path)
  try {
    const variables: Record<string, tf.Variable> = {}
    for (const [name, { shape }] of file.entries) {
      const isTable = name.startsWith('y_embedder') || name === 'pos_embed'
      const isMatrix = shape.length > 1 && !isTable
      const data = await file.float32(name)
      const values = isMatrix ? turned(data, shape[0]) : data
      const place = isMatrix ? [data.length / shape[0], shape[0]] : [...shape]
      variables[name] = tf.variable(tf.tensor(values, place, 'float32'), isTrainable(config, name), name)
    }
    return variables
  } finally {
    await file.close()
  }
}

/** Tensors of the inputs. */
export async function readInputs(path: string): Promise<Record<string, tf.Tensor>> {
  const file = await openSafetensorsFile(path)
  try {
    const tensors: Record<string, tf.Tensor> = {}
    for (const [name, { dtype, shape }] of file.entries) {
      const { data } = await file.tensor(name)
      tensors[name] =
        dtype === 'I32'
          ? tf.tensor(data as Int32Array, [...shape], 'int32')
          : tf.tensor(Float32Array.from(data as Float64Array), [...shape], 'float32')
    }
    return tensors
  } finally {
    await file.close()
  }
}

function turned(data: Float32Array, rows: number): Float32Array {
  const columns = data.length / rows
  const out = new Float32Array(data.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]
  return out
}
