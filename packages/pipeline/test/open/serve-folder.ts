import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Files by their path. */
export type Files = Readonly<Record<string, string | Uint8Array>>

/** A folder behind an address of 127.0.0.1. */
export interface ServedFolder {
  readonly address: string
  /** Paths that were asked for, in order. */
  readonly asked: string[]
  close(): Promise<void>
}

/**
 * Serves files to pages of any origin.
 *
 * @param whatIsMissing gets a 404; or the page of an app with status 200, as servers for development answer
 */
export async function serveFolder(files: Files, whatIsMissing: '404' | 'page' = '404'): Promise<ServedFolder> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://127.0.0.1').pathname.slice(1))
    const headers = { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' }
    asked.push(path)
    if (Object.hasOwn(files, path)) {
      const type = path.endsWith('.json') ? 'application/json' : 'application/octet-stream'
      const bytes = Buffer.from(files[path])
      response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Length': bytes.length }).end(bytes)
    } else if (whatIsMissing === '404') response.writeHead(404, headers).end()
    else response.writeHead(200, { ...headers, 'Content-Type': 'text/html' }).end('<!doctype html><p>An app')
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
