import { describeConformance } from './conformance.js'
import { bf16Engines, otherEngines } from './engines.js'

describeConformance([...otherEngines, ...bf16Engines])
