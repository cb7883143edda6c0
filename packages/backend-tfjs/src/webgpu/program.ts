import * as tf from '@tensorflow/tfjs-core'

export function isWebGpu(): boolean {
  return tf.getBackend() === 'webgpu'
}

/** An element-wise program of our own for the webgpu engine of tfjs. */
export interface ElementwiseProgram {
  /** Unique: the engine keeps what it has compiled under this name, and the dtypes and ranks. */
  readonly name: string
  /** Functions in WGSL that `value` calls. */
  readonly functions?: string
  /** Expression in WGSL of the result at `index`, over the flat arrays `A` and `B` of the inputs. */
  readonly value: string
  readonly dtype: 'float32' | 'int32'
}

/** The parts of the engine's own programs that are needed here. */
interface Program {
  readonly variableNames: readonly string[]
  readonly outputShape: readonly number[]
  readonly dispatchLayout: { readonly x: readonly number[] }
  readonly workgroupSize: readonly [number, number, number]
  readonly size: true
  /** The engine writes into these two. */
  dispatch: readonly [number, number, number]
  shaderKey: string
  getUserCode(): string
}

interface WebGpuBackend {
  runWebGPUProgram(program: Program, inputs: readonly tf.Tensor[], dtype: 'float32' | 'int32'): tf.TensorInfo
}

const WORKGROUP = 128

/**
 * Runs a program on one or two tensors of one shape.
 *
 * @returns a tensor of that shape
 */
export function runElementwise(
  { name, functions = '', value, dtype }: ElementwiseProgram,
  inputs: readonly tf.Tensor[],
): tf.Tensor {
  const [{ shape, size }] = inputs
  const store = dtype === 'int32' ? 'setOutputAtIndexI32' : 'setOutputAtIndex'
  const program: Program = {
    variableNames: ['A', 'B'].slice(0, inputs.length),
    outputShape: shape,
    dispatchLayout: { x: shape.map((_, axis) => axis) },
    workgroupSize: [WORKGROUP, 1, 1],
    size: true,
    dispatch: [Math.ceil(size / WORKGROUP), 1, 1],
    shaderKey: `dit_${name}`,
    getUserCode: () => `${functions}
fn main(index : i32) {
  if (index < uniforms.size) {
    ${store}(index, ${value});
  }
}`,
  }
  const backend = tf.findBackend('webgpu') as unknown as WebGpuBackend
  return tf.engine().makeTensorFromTensorInfo(backend.runWebGPUProgram(program, inputs, dtype))
}
