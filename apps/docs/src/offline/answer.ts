/** What an answer is made of: the kept files of this version of the site, and the network. */
export interface Sources {
  readonly cache: Pick<Cache, 'match' | 'put'>
  readonly load: (request: Request) => Promise<Response>
  /** Address of the site, with a slash at its end. */
  readonly site: string
}

/**
 * Whether the service worker answers for an address: for files of the site, but not for weights, which the page keeps itself when it
 * loads them.
 */
export function isAnswered({ method, url, headers }: Request, site: string): boolean {
  return method === 'GET' && url.startsWith(site) && !url.endsWith('.safetensors') && !headers.has('Range')
}

/**
 * The answer to a request of a page: from the network, and where that fails what was kept of it. Files whose name has a digest in it never
 * change: those are taken as they were kept.
 *
 * Every answer carries the headers that make a page cross-origin isolated, so that WebAssembly gets threads on plain hosts, too.
 *
 * @throws what the network threw, where nothing was kept
 */
export async function answer(request: Request, { cache, load, site }: Sources): Promise<Response> {
  if (request.url.startsWith(`${site}assets/`)) {
    const kept = await cache.match(request)
    if (kept !== undefined) return isolated(kept)
  }
  let response: Response
  try {
    response = await load(request)
  } catch (error) {
    const kept = await findKept(request, cache)
    if (kept === undefined) throw error
    return isolated(kept)
  }
  // No room is no reason to go without the answer.
  if (response.ok) await cache.put(request, response.clone()).catch(() => {})
  return isolated(response)
}

/** A page is asked for with and without `.html`, and with words for its scripts behind a question mark. */
async function findKept(request: Request, cache: Sources['cache']): Promise<Response | undefined> {
  const [address] = request.url.split(/[?#]/)
  for (const candidate of [address, `${address}.html`, `${address}index.html`]) {
    const kept = await cache.match(candidate, { ignoreSearch: true })
    if (kept !== undefined) return kept
  }
  return undefined
}

/** The same response with the headers of a cross-origin isolated page (HTML, "Cross-origin opener and embedder policies"). */
function isolated(response: Response): Response {
  // Redirects are followed by the browser, which lets nobody look into them.
  if (response.status === 0) return response
  const headers = new Headers(response.headers)
  headers.set('Cross-Origin-Opener-Policy', 'same-origin')
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp')
  headers.set('Cross-Origin-Resource-Policy', 'same-origin')
  const { status, statusText } = response
  const hasBody = ![101, 204, 205, 304].includes(status)
  return new Response(hasBody ? response.body : null, { status, statusText, headers })
}
