export { type ExtractorOptions, openExtractor } from './open-extractor.js'
