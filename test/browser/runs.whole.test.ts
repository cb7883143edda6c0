import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryRunStore } from '@dit/train-ddp'
import type { Browser, BrowserContext } from 'playwright-core'
import { beforeAll, expect } from 'vitest'
import { buildBundledPage } from './build-pages.js'
import { startVisitor } from './chromium.js'
import { type Call, callOn, pagesInChromium } from './pages-in-chromium.js'
import { digestsOf, EVERY, noProgress, type RunProgress, STEPS, storedRun } from './pages/stored-run.js'

// Needs a build: the page uses the packages as they are published. Node's own run reads the sources.
const PAGE = 'plain/bundled/runs.html'
const pages = pagesInChromium({
  async build(folder) {
    const bundled = join(folder, 'bundled')
    await buildBundledPage(bundled, 'runs.html')
    return { bundled }
  },
})
const { test } = pages

/** A run in Node that nothing interrupts. */
const unbroken = { losses: [] as readonly number[], digests: {} as Readonly<Record<string, string>> }
beforeAll(async () => {
  if (pages.executable === undefined) return
  const store = memoryRunStore()
  const progress = noProgress()
  await storedRun(store, progress, 0)
  if (progress.error !== null) throw new Error(progress.error)
  Object.assign(unbroken, { losses: progress.losses, digests: await digestsOf(store) })
})

/** Milliseconds for which data is waited for, so that a step can be met in its middle. */
const PAUSE = 20

async function until(call: Call, isMet: (progress: RunProgress) => boolean): Promise<RunProgress> {
  for (;;) {
    const progress = await call<RunProgress>('look')
    if (progress.error !== null) throw new Error(progress.error)
    if (isMet(progress)) return progress
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
}

const hasEnded = (progress: RunProgress) => progress.hasEnded

/** Goes on with a run to its end, and expects of losses and files what an unbroken run has. */
async function expectUnbroken(call: Call, name: string): Promise<RunProgress> {
  await call('begin', name, 0)
  const progress = await until(call, hasEnded)
  expect(progress.losses).toEqual(unbroken.losses.slice(-progress.losses.length))
  expect(await call('digests', name)).toEqual(unbroken.digests)
  return progress
}

/**
 * A run that was last seen at a step goes on from the checkpoint before it, or from one that was written between that look and
 * the end; one that was being saved may be whole or not.
 */
function expectResumed({ resumedFrom }: RunProgress, { step, isSaving }: RunProgress): void {
  const saved = Math.floor(step / EVERY) * EVERY - (isSaving ? EVERY : 0)
  const from = resumedFrom === null ? 0 : Number(/^checkpoints\/step-(\d{7})$/.exec(resumedFrom)?.[1])
  expect(from % EVERY).toBe(0)
  expect(from).toBeGreaterThanOrEqual(saved)
  expect(from).toBeLessThan(STEPS)
}

test('a tab closed in the middle of training, while steps and saves are under way, loses nothing of its run', async () => {
  const context = await pages.browser.newContext()
  for (const isMet of [
    ({ step }: RunProgress) => step >= 6,
    ({ step, isSaving }: RunProgress) => step > 8 && isSaving,
  ]) {
    await pages.inTab(
      PAGE,
      async (call) => {
        await call('begin', 'closed', PAUSE)
        await until(call, isMet)
      },
      context,
    )
  }
  const last = await pages.inTab(PAGE, (call) => expectUnbroken(call, 'closed'), context)
  expect(last.losses.length).toBeLessThan(STEPS)
  await context.close()
})

test('a tab that is loaded anew in the middle of training goes on', async () => {
  await pages.inTab(PAGE, async (call, page) => {
    await call('begin', 'reloaded', PAUSE)
    const before = await until(call, ({ step }) => step >= 6)
    await page.reload()
    expectResumed(await expectUnbroken(call, 'reloaded'), before)
  })
})

async function processes(browser: Browser, types: readonly string[]): Promise<number[]> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  const ids = processInfo.filter(({ type }) => types.includes(type)).map(({ id }) => id)
  await session.detach()
  return ids
}

/** Ends processes of Chromium as the system does when it needs their memory. */
async function kill(browser: Browser, type: 'renderer' | 'browser'): Promise<number[]> {
  const ids = await processes(browser, [type])
  expect(ids.length).toBeGreaterThan(0)
  for (const id of ids) process.kill(id, 'SIGKILL')
  return ids
}

/** Stops processes of Chromium; returns what lets them go on. */
async function stop(browser: Browser, types: readonly string[]): Promise<() => void> {
  const ids = await processes(browser, types)
  for (const id of ids) process.kill(id, 'SIGSTOP')
  return () => {
    for (const id of ids) process.kill(id, 'SIGCONT')
  }
}

test('a run whose renderer is killed in the middle of steps and saves goes on in a new tab', async () => {
  const context = await pages.browser.newContext()
  for (const isMet of [
    ({ step }: RunProgress) => step >= 7,
    ({ step, isSaving }: RunProgress) => step >= 8 && isSaving,
    ({ step }: RunProgress) => step >= 18,
  ]) {
    await pages.inTab(
      PAGE,
      async (call, page) => {
        const crashed = page.waitForEvent('crash')
        await call('begin', 'killed', PAUSE)
        await until(call, isMet)
        const gone = await kill(pages.browser, 'renderer')
        await crashed
        // One that Chromium keeps at hand for the next tab is gone, too, and must be known to be.
        const left = async () => (await processes(pages.browser, ['renderer'])).filter((id) => gone.includes(id))
        await expect.poll(left).toEqual([])
      },
      context,
    )
  }
  const last = await pages.inTab(PAGE, (call) => expectUnbroken(call, 'killed'), context)
  expect(last.losses.length).toBeLessThan(STEPS - 12)
  await context.close()
})

test('a run whose browser is killed goes on when that is started again', async () => {
  const profile = mkdtempSync(join(tmpdir(), 'dit-profile-'))
  const visit = async <Result>(work: (context: BrowserContext) => Promise<Result>): Promise<Result> => {
    const context = await startVisitor(pages.executable!, profile)
    try {
      return await work(context)
    } finally {
      await context.close()
    }
  }
  try {
    const before = await visit(async (context) => {
      const page = await context.newPage()
      await page.goto(new URL(PAGE, `${pages.server.address}/`).href)
      const call = callOn(page)
      await call('begin', 'ended', PAUSE)
      const progress = await until(call, ({ step }) => step >= 10)
      const closed = context.waitForEvent('close')
      await kill(context.browser()!, 'browser')
      await closed
      return progress
    })
    const after = await visit((context) => pages.inTab(PAGE, (call) => expectUnbroken(call, 'ended'), context))
    expectResumed(after, before)
    expect(after.resumedFrom).not.toBe(null)
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}, 90_000)

test('a tab that sleeps goes on when it wakes, and nothing is lost', async () => {
  await pages.inTab(PAGE, async (call) => {
    await call('begin', 'asleep', PAUSE)
    await until(call, ({ step }) => step >= 6)
    // Chromium freezes no page that has no window, so its processes are stopped, as when the machine sleeps.
    const wake = await stop(pages.browser, ['renderer', 'GPU'])
    const isAwake = call('look').then(() => true)
    const isAsleep = new Promise<boolean>((resolve) => {
      setTimeout(() => resolve(false), 500)
    })
    expect(await Promise.race([isAwake, isAsleep])).toBe(false)
    wake()
    const { losses, resumedFrom } = await until(call, hasEnded)
    expect({ losses, resumedFrom }).toEqual({ losses: unbroken.losses, resumedFrom: null })
    expect(await call('digests', 'asleep')).toEqual(unbroken.digests)
  })
})

test('a second tab of the same run is refused, and trains it once the first is closed', async () => {
  const context = await pages.browser.newContext()
  await pages.inTab(
    PAGE,
    async (second) => {
      const before = await pages.inTab(
        PAGE,
        async (first) => {
          // Slow enough to outlast the three seconds for which the second waits.
          await first('begin', 'shared', 300)
          await until(first, ({ step }) => step >= 6)
          expect(await refused(second, 'shared')).toMatch(/^RunLockedError: .*another tab is training this run$/)
          // Which does not disturb the first.
          const { step: then } = await until(first, ({ step }) => step > 0)
          return until(first, ({ step }) => step > then)
        },
        context,
      )
      expectResumed(await expectUnbroken(second, 'shared'), before)
    },
    context,
  )
  await context.close()
})

test('what is appended to a log is there at once for its store, and in the storage once it is flushed or unlocked', async () => {
  const seen = await pages.call(PAGE, 'appends')
  expect(seen).toEqual([null, 'one ', 'one two three ', 'one two ', 'one two five '])
})

/** The error of a run that may not begin. */
async function refused(call: Call, name: string): Promise<string> {
  await call('begin', name, 0)
  for (;;) {
    const { error, losses, hasEnded } = await call<RunProgress>('look')
    if (error !== null) return error
    if (losses.length > 0 || hasEnded) return 'it is not refused'
  }
}
