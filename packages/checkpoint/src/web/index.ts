export { WebFileError } from './error.js'
export { type FetchFileOptions, fetchFile, type FileProgress } from './fetch-file.js'
export { type HubFileOptions, hubFileUrl, type HubReference, parseHubReference } from './hub-file-url.js'
export { type UrlSource, urlSource, type UrlSourceOptions } from './url-source.js'
