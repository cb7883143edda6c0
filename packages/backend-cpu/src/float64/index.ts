export { float64, type Float64Options, type Float64Products } from './float64.js'
