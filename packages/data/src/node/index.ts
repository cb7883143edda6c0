export { ImageFolderError } from './image-folder-error.js'
export type { UnreadablePicture } from './image-folder-error.js'
export { openImageFolder } from './image-folder.js'
export type { ImageFolder, ImageFolderOptions } from './image-folder.js'
