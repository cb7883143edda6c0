export { efficientNetExtractor, type EfficientNetOptions } from './efficientnet/extractor.js'
export type { FeatureExtractor, FeatureLayer, Pictures } from './extractor.js'
export {
  FID_INCEPTION_FILE,
  FID_PREPROCESSINGS,
  inceptionExtractor,
  type InceptionOptions,
} from './inception/extractor.js'
export { onnxExtractor, type OnnxLayout, type OnnxOptions } from './onnx/extractor.js'
export type { OnnxRuntime, OnnxSession } from './onnx/runtime.js'
export { weightsExtractor, type WeightsOptions } from './open-weights.js'
export { networkInput, type PerChannel, type Preprocessing } from './preprocess.js'
export { type Raster, resize, RESIZE_METHODS, type ResizeMethod } from './resize/resize.js'
export { smallExtractor } from './small/small-extractor.js'
