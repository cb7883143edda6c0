export { type FetchFileOptions, fetchFile, type FileProgress } from './fetch-file.js'
export { urlSource, type UrlSourceOptions } from './url-source.js'
