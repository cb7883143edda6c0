import { describeConformance } from './conformance.js'
import { otherEngines } from './engines.js'

describeConformance(otherEngines)
