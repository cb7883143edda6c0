export { openFileSource, type FileSource } from './file-source.js'
export { openSafetensorsFile, type OpenSafetensorsFile } from './open-safetensors-file.js'
export { openShardsFile, type OpenShardsFile } from './open-shards-file.js'
export { openTorchFile, type OpenTorchFile } from './open-torch-file.js'
export { sniffFile } from './sniff-file.js'
export {
  writeSafetensorsFile,
  type TensorToWrite,
  type WriteFileOptions,
  type WrittenFile,
} from './write-safetensors-file.js'
