import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** Chromium or Chrome on this machine: what `DIT_CHROMIUM` names, or the first on the PATH. Nothing is downloaded. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  return [process.env['DIT_CHROMIUM'] ?? '', ...onPath].find((path) => path !== '' && existsSync(path))
}

/** A name of 127.0.0.1 whose pages are not secure, as those of most servers without https. */
export const INSECURE_HOST = 'insecure.test'

/**
 * Starts it without a window, with nothing but 127.0.0.1 to talk to, and with WebGPU on the processor, or with no adapter
 * for WebGPU.
 */
export function startChromium(executablePath: string, webgpu: 'software' | 'none' = 'software'): Promise<Browser> {
  return chromium.launch({ executablePath, args: flags(webgpu) })
}

/** The same for a visitor whose profile, with the storage of pages, stays in a folder when the browser is gone. */
export function startVisitor(executablePath: string, profile: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, { executablePath, args: flags('software') })
}

function flags(webgpu: 'software' | 'none'): string[] {
  return [
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-default-apps',
    '--disable-domain-reliability',
    '--disable-sync',
    ...(webgpu === 'software' ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] : ['--disable-gpu']),
    '--metrics-recording-only',
    `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
  ]
}

/** A page that has loaded its modules. */
export interface OpenPage {
  readonly page: Page
  /** Waits for `work`; where it fails or takes too long, the error also tells what the page complained about. */
  readonly watch: <T>(work: Promise<T>) => Promise<T>
}

/** How long a page may take to answer, on a busy machine. */
const SECONDS = 120

/** Opens a page and waits for its scripts, however they end. */
export async function openPage(browser: Browser | BrowserContext, url: string, seconds = SECONDS): Promise<OpenPage> {
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.stack || String(error)))
  page.on('console', (message) => complaints.push(`console ${message.type()}: ${message.text()}`))
  page.on('crash', () => complaints.push('the page crashed'))
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`))
  page.on('response', (response) => {
    if (!response.ok()) complaints.push(`${response.url()}: ${response.status()}`)
  })
  const watch = async <T>(work: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${seconds} seconds`)), seconds * 1000)
    })
    try {
      return await Promise.race([work, late])
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error)
      throw new Error([`${url}: ${what}`, ...complaints].join('\n'), { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }
  await watch(page.goto(url))
  if (complaints.length > 0) throw new Error([`${url} did not load`, ...complaints].join('\n'))
  return { page, watch }
}
