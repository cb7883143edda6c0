export type { FeatureExtractor, FeatureLayer, Pictures } from './extractor.js'
export { smallExtractor } from './small/small-extractor.js'
