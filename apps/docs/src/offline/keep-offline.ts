/** How a page stands with the service worker of its site. */
export type Offline =
  | { readonly isKept: true }
  /** Why it is not kept. */
  | { readonly isKept: false; readonly reason: string }

/**
 * Keeps the site for use without a network. Settles once it is kept, or cannot be.
 *
 * @param site address of the site, with a slash at its end
 */
export async function keepOffline(site: string): Promise<Offline> {
  const container = (navigator as { readonly serviceWorker?: ServiceWorkerContainer }).serviceWorker
  if (container === undefined) return { isKept: false, reason: 'it is not served securely' }
  try {
    await container.register(`${site}service-worker.js`, { scope: site })
    await container.ready
    return { isKept: true }
  } catch (error) {
    return { isKept: false, reason: (error as Error).message }
  }
}
