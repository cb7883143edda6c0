export { type BindingRecord, findPackage, type TfjsNodePackage } from '../tensorflow/find-package.js'
export { buildBinding, type BuildOptions } from './build-binding.js'
export { libraryIn, libraryOfPython, type TensorflowLibrary } from './find-library.js'
export { probeTensorflow, type ProbeOptions, type TensorflowProbe } from './probe.js'
