export { type AdapterSummary, listAdapters, nodeGpu, type NodeGpuOptions } from './node-gpu.js'
