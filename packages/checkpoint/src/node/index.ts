export { openFileSource, type FileSource } from './file-source.js'
export { openSafetensorsFile, type OpenSafetensorsFile } from './open-safetensors-file.js'
export {
  writeSafetensorsFile,
  type TensorToWrite,
  type WriteFileOptions,
  type WrittenFile,
} from './write-safetensors-file.js'
