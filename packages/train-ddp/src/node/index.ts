export { folderRunStore } from './folder-store.js'
