import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.safetensors': 'application/octet-stream',
}

/** Makes a page cross-origin isolated. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

export interface PageServer {
  readonly port: number
  /** Before `/plain`, `/isolated` and `/answers`. */
  readonly address: string
  /** What is asked for under `/answers/<name>`, for as long as it is here. */
  readonly answers: Map<string, RequestListener>
  close(): Promise<void>
}

/**
 * Serves `.html`, `.js`, `.css`, `.wasm` and `.safetensors` files on 127.0.0.1 at a port that is free: each folder under `/plain/<its name>`, and
 * the same under `/isolated` with the headers of cross-origin isolation.
 */
export async function servePages(folders: Readonly<Record<string, string>>): Promise<PageServer> {
  const answers = new Map<string, RequestListener>()
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
    const special = answers.get(/^\/answers\/(.+)$/.exec(pathname)?.[1] ?? '')
    if (special === undefined) void answer(pathname, response)
    else special(request, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    address: `http://127.0.0.1:${port}`,
    answers,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
