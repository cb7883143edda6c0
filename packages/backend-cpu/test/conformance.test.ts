import { describeConformance } from './conformance.js'
import { bf16Engines, quickEngines } from './engines.js'

describeConformance(quickEngines)
// What bf16 changes.
describeConformance(bf16Engines.slice(0, 1), /^(linear|attention|block)$/)
