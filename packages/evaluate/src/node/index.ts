export * from '../index.js'
export { folderFeatureStore, type FolderStoreOptions } from './folder-feature-store.js'
export { readRows, writeRows } from './rows-file.js'
