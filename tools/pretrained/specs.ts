import { garments } from './garments.js'
import { heroes } from './heroes.js'
import type { ModelSpec } from './model-spec.js'

/** The models of `@dit/pretrained`, in the order of its README. */
export const SPECS: readonly ModelSpec[] = [heroes, garments]
