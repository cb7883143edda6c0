import * as tf from '@tensorflow/tfjs-core'

/** The part of the tensorflow engine that runs ops by their names in TensorFlow. */
interface NodeBackend {
  readonly binding: Readonly<Record<string, number>>
  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly tf.Tensor[]): tf.Tensor
}

interface Attribute {
  readonly name: string
  readonly type: number
  readonly value: boolean | number | readonly string[]
}

let attributes: readonly Attribute[] | undefined

/** Whether the binding can name what an op fuses: that of our build script can, the downloaded one cannot. */
export function canFuse(): boolean {
  return nodeBackend().binding['DIT_STRING_LISTS'] === 1
}

/** a b^T + bias in one op of TensorFlow: `[M, K]`, `[N, K]` and `[N]` to `[M, N]`. */
export function fusedMatMul(a: tf.Tensor, b: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const backend = nodeBackend()
  attributes ??= attributesOf(backend.binding)
  return backend.executeSingleOutput('_FusedMatMul', attributes, [a, b, bias])
}

function nodeBackend(): NodeBackend {
  return tf.findBackend('tensorflow') as unknown as NodeBackend
}

function attributesOf({
  TF_ATTR_TYPE,
  TF_ATTR_BOOL,
  TF_ATTR_INT,
  TF_ATTR_FLOAT,
  TF_ATTR_STRING,
  TF_FLOAT,
}: NodeBackend['binding']): Attribute[] {
  return [
    { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
    { name: 'transpose_a', type: TF_ATTR_BOOL, value: false },
    { name: 'transpose_b', type: TF_ATTR_BOOL, value: true },
    { name: 'num_args', type: TF_ATTR_INT, value: 1 },
    { name: 'fused_ops', type: TF_ATTR_STRING, value: ['BiasAdd'] },
    { name: 'epsilon', type: TF_ATTR_FLOAT, value: 0 },
    { name: 'leakyrelu_alpha', type: TF_ATTR_FLOAT, value: 0 },
  ]
}
