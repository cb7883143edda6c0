import { otherEngines } from './engines.js'
import { testProducts } from './float64.js'

otherEngines.forEach(testProducts)
