export { garments } from './garments.js'
export { heroes } from './heroes.js'
export type { PretrainedModel, UsualSampling } from './pretrained-model.js'
