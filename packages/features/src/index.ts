export type { FeatureExtractor, FeatureLayer, Pictures } from './extractor.js'
export { type Raster, resize, RESIZE_METHODS, type ResizeMethod } from './resize/resize.js'
