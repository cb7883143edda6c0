import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ServedFile {
  readonly url: string
  /** Ranges that were asked for; null for a request of the whole. */
  readonly ranges: (string | null)[]
  /** Replaces the file; its ETag changes. */
  replace(contents: Uint8Array): void
  close(): Promise<void>
}

/** Serves one file with byte ranges; the first `breaks` answers end after half of what they promise. */
export async function serveFile(
  contents: Uint8Array,
  { breaks = 0, hasRanges = true }: { breaks?: number; hasRanges?: boolean } = {},
): Promise<ServedFile> {
  let file = contents
  let version = 1
  let left = breaks
  const ranges: (string | null)[] = []
  const server = createServer((request, response) => {
    const range = request.headers.range ?? null
    ranges.push(range)
    const tag = `"${version}"`
    const isCurrent = request.headers['if-range'] === undefined || request.headers['if-range'] === tag
    const [, first, last] = (hasRanges && isCurrent && /^bytes=(\d+)-(\d*)$/.exec(range ?? '')) || []
    const start = first === undefined ? 0 : Number(first)
    const end = last === undefined || last === '' ? file.length : Math.min(file.length, Number(last) + 1)
    const body = file.subarray(start, end)
    const headers = { ETag: tag, 'Content-Length': body.length }
    if (first === undefined) response.writeHead(200, headers)
    else response.writeHead(206, { ...headers, 'Content-Range': `bytes ${start}-${end - 1}/${file.length}` })
    if (left > 0) {
      left--
      response.write(body.subarray(0, body.length >> 1), () => response.destroy())
    } else response.end(body)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights`,
    ranges,
    replace(next) {
      file = next
      version++
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
