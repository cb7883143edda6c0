import { defineDitSampler } from './dit-sampler.js'

export {
  defineDitSampler,
  DitSampler,
  type SamplerPictures,
  type SamplerProblem,
  type SamplerProgress,
} from './dit-sampler.js'

defineDitSampler()
