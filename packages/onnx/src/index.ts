export { denoiserGraph, type DenoiserOptions } from './denoiser.js'
export { type EncodeOptions, externalBytes, onnxBytes, type ReadParameter } from './encode.js'
export {
  type Attribute,
  type Constant,
  type DataType,
  type GraphNode,
  type GraphPort,
  type OnnxGraph,
  parameterBytes,
} from './graph.js'
export { onnxMetadata } from './metadata.js'
export { OnnxError } from './read-protobuf.js'
export { vaeDecoderGraph } from './vae-decoder.js'
