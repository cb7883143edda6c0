export type { FeatureExtractor, FeatureLayer, Pictures } from './extractor.js'
