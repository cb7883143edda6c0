export { randomStream, type RandomStream } from '@dit/random'
export { recompute } from './autograd/recompute.js'
export { isTracked, record, stopGradient, type TapeNode } from './autograd/tape.js'
export { type GradientOptions, type Params, valueAndGrad, type ValueAndGradients } from './autograd/value-and-grad.js'
export type {
  Activation,
  AdamWStep,
  Backend,
  BackendBuffer,
  BackendMemory,
  BinaryOp,
  ConvActivation,
  ConvWindow,
  FusedKernels,
  GroupedConvolution,
  GroupNormalization,
  ImageKernels,
  InferenceKernels,
  Kernels,
  NormActivation,
  PoolWindow,
  RequiredKernels,
  Saved,
  UnaryOp,
  View,
} from './backend.js'
export { currentBackend, useBackend } from './current-backend.js'
export { bytesPerElement, type DType, isFloat, type TensorData, typedArray } from './dtype.js'
export type { HeadNormViews, ModernKernels, RotationViews } from './modern-kernels.js'
export { attention } from './ops/attention.js'
export { add, div, equal, greater, less, maximum, minimum, mul, sub, where } from './ops/binary.js'
export { clamp } from './ops/clamp.js'
export { conv2d, type Conv2dOptions } from './ops/conv2d.js'
export {
  full,
  ones,
  randomNormal,
  type RandomOptions,
  randomUniform,
  tensor,
  type TensorOptions,
  toBackend,
  upload,
  zeros,
} from './ops/create.js'
export { crossAttention, type CrossAttentionOptions } from './ops/cross-attention.js'
export { gatedResidual } from './ops/gated-residual.js'
export { gather } from './ops/gather.js'
export { groupNorm, type GroupNormOptions } from './ops/group-norm.js'
export { accumulate, assign, fill } from './ops/in-place.js'
export { layerNorm, layerNormModulate } from './ops/layer-norm.js'
export { linear, type LinearOptions } from './ops/linear.js'
export { matmul, type MatmulOptions } from './ops/matmul.js'
export { averagePool2d, maxPool2d, type Pool2dOptions } from './ops/pool.js'
export { type HeadNorm, type HeadRotation, qkNormRope, type QkNormRopeOptions } from './ops/qk-norm-rope.js'
export { broadcastTo, mean, type ReduceOptions, sum } from './ops/reduce.js'
export { type RmsModulation, rmsNorm, rmsNormModulate } from './ops/rms-norm.js'
export { chunk, concat, permute, reshape, slice } from './ops/shape.js'
export { softmax } from './ops/softmax.js'
export { swiglu } from './ops/swiglu.js'
export {
  abs,
  affine,
  cast,
  cos,
  exp,
  gelu,
  log,
  neg,
  relu,
  relu6,
  sigmoid,
  silu,
  sin,
  sqrt,
  square,
  tanh,
} from './ops/unary.js'
export { upsample2x } from './ops/upsample.js'
export type { Padding2d } from './ops/windows.js'
export { adamw, type AdamWState, updateEma } from './parameters/adamw.js'
export { elements } from './parameters/elements.js'
export {
  allocateFlat,
  disposeFlat,
  type FlatEntry,
  flatLayout,
  type FlatLayout,
  type FlatParams,
  flatten,
  SEGMENT_ALIGNMENT,
} from './parameters/flat.js'
export { muon, type MuonState, type MuonStep, orthogonalise, type OrthogonaliseOptions } from './parameters/muon.js'
export { globalNorm } from './parameters/global-norm.js'
export { reference } from './reference/backend.js'
export { dispose, keep, scope } from './scope.js'
export { mergedWalk, stretchedStrides, type Walk } from './walk.js'
export { broadcastShapes, formatShape, sameShape, type Shape, sizeOf, stridesOf } from './shape.js'
export { empty, Tensor, toFloat32Array } from './tensor.js'
