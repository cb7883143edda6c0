export {
  type FetchFileOptions,
  fetchFile,
  type FileProgress,
  type UrlSourceOptions,
  urlSource,
} from '@dit/checkpoint/web'
export { originRunStore, type OriginRunStoreOptions } from './origin-run-store.js'
