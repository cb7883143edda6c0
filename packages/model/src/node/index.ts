export {
  locateWeights,
  openWeights,
  type OpenWeights,
  type OpenWeightsOptions,
  type WeightsPlace,
} from './open-weights.js'
