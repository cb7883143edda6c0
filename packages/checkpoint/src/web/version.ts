/** What an answer tells of the version of a file. */
export interface FileVersion {
  readonly etag: string | null
  /** Last-Modified: it counts in seconds, and two versions may share one. */
  readonly date: string | null
  /** Where the answer came from after redirects, without the query, which is often a signature. */
  readonly place: string
}

export function versionOf({ headers, url }: Response): FileVersion {
  return {
    etag: headers.get('ETag'),
    date: headers.get('Last-Modified'),
    place: url.replace(/[?#].*$/s, ''),
  }
}

/**
 * The strong ETag, which names one version byte by byte, or null where there is none or it names compressed bytes.
 *
 * RFC 9110, section 8.8.3.
 */
export function strongTag({ headers }: Response): string | null {
  const etag = headers.get('ETag')
  return etag !== null && isPlain(headers) && !etag.startsWith('W/') ? etag : null
}

/** Whether lengths and ranges count the bytes that a reader gets: of a compressed answer they count the compressed ones. */
export function isPlain(headers: Headers): boolean {
  return (headers.get('Content-Encoding') ?? 'identity') === 'identity'
}
