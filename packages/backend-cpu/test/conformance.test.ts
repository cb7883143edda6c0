import { describeConformance } from './conformance.js'
import { quickEngines } from './engines.js'

describeConformance(quickEngines)
