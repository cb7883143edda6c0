import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
}

/** Makes a page cross-origin isolated. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

export interface PageServer {
  /** Address of the plain pages; the same under `isolated` comes with the headers of cross-origin isolation. */
  readonly plain: string
  readonly isolated: string
  close(): Promise<void>
}

/** Serves `.html`, `.js` and `.wasm` files on 127.0.0.1, each folder under its name, at a port that is free. */
export async function servePages(folders: Readonly<Record<string, string>>): Promise<PageServer> {
  const find = async (path: string) => {
    const [, name, rest] = /^\/(?:plain|isolated)\/([^/]+)\/(.+)$/.exec(path) ?? []
    if (!Object.hasOwn(folders, name) || rest.split('/').includes('..')) return null
    const type = TYPES[extname(rest)]
    const contents = await readFile(join(folders[name], rest)).catch(() => null)
    return type === undefined || contents === null ? null : { type, contents }
  }
  const answer = async (path: string, response: ServerResponse) => {
    const file = await find(path)
    const isolation = path.startsWith('/isolated/') ? ISOLATION : {}
    if (file === null) response.writeHead(404).end()
    else response.writeHead(200, { 'Content-Type': file.type, ...isolation }).end(file.contents)
  }
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    void answer(pathname, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const address = `http://127.0.0.1:${port}`
  return {
    plain: `${address}/plain`,
    isolated: `${address}/isolated`,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
