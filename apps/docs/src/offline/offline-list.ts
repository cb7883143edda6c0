/** What the service worker keeps from the beginning. */
export interface OfflineList {
  /** Changes with every change of the site. */
  readonly version: string
  /** Below the address of the site. */
  readonly files: readonly string[]
}
