export { openWeights, type OpenWeights, type OpenWeightsOptions } from './open-weights.js'
