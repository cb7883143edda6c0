import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, relative } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
}

/** A server of static files on 127.0.0.1, as a plain host of pages is one. */
export interface SiteServer {
  readonly origin: string
  /** The files that were asked for, below the folder. */
  readonly requests: string[]
  /** Whether it answers nothing, like a server that is gone. */
  isGone: boolean
  close(): Promise<void>
}

/** Serves the files of a folder under a path, and an icon that browsers ask for unasked. */
export async function serveSite(folder: string, base: string): Promise<SiteServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    if (served.isGone) {
      request.socket.destroy()
      return
    }
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (pathname === '/favicon.ico') {
      response.writeHead(204).end()
      return
    }
    const rest = pathname.startsWith(base) ? decodeURIComponent(pathname.slice(base.length)) : '..'
    const found = [join(folder, rest), join(folder, rest, 'index.html')].find(
      (path) => !rest.split('/').includes('..') && existsSync(path) && statSync(path).isFile(),
    )
    if (found === undefined) response.writeHead(404).end()
    else {
      requests.push(relative(folder, found))
      response.writeHead(200, { 'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream' })
      response.end(readFileSync(found))
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const served: SiteServer = {
    requests,
    isGone: false,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return served
}
