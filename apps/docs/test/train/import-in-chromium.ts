import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpu } from '@dit/backend-cpu'
import { SHAPE_CLASSES } from '@dit/data'
import { initParams } from '@dit/model'
import { openPipeline, toPng } from '@dit/pipeline'
import { dispose } from '@dit/tensor'
import { expect } from 'vitest'
import { runDit } from '../../../cli/test/support/run-dit.js'
import { TINY } from '../../../cli/test/support/tiny-flags.js'
import { PAGE_PROCESS, pageModel } from '../../src/train/settings.js'
import { type Site, violations } from '../site-in-chromium.js'

const WAIT = { timeout: 100_000 }

/** Weights as the page exports them, of a network for shapes that has learned nothing. */
async function shapesFile(folder: string): Promise<string> {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const network = pageModel({ size: 16, classes: SHAPE_CLASSES })
  const params = initParams(network, { seed: 1, backend })
  const dit = await openPipeline({ network, process: PAGE_PROCESS, params, classNames: SHAPE_CLASSES }, { backend })
  const path = join(folder, 'dit-shapes-0.safetensors')
  writeFileSync(path, await dit.save())
  dit.dispose()
  dispose(params)
  await backend.dispose()
  return path
}

/** Tests of files of weights in the page that trains, on the finished site. */
export function trainImportTests(site: Site): void {
  const { test, visit } = site

  test('the page draws with a file of weights, says what differs from its own, and refuses what is none', async () => {
    await visit('train.html', async (page) => {
      const weights = page.getByRole('group', { name: 'Weights from a file' })
      const says = async (text: RegExp) => {
        await expect.poll(() => weights.getByRole('status').textContent(), WAIT).toMatch(text)
      }
      const open = (path: string) => weights.getByLabel('Or open weights').setInputFiles(path)
      await open(join(site.folder, '../heroes.safetensors'))
      await says(/^heroes\.safetensors: 32 × 32 pixels, 3 classes, [\d,]+ parameters\. Drawn with seed 0\.$/)
      expect(await weights.locator('canvas').count()).toBe(3)
      expect(await weights.getByRole('img', { name: 'Sample of orc' }).count()).toBe(1)
      expect(await weights.locator('.train-start').textContent()).toMatch(
        /^This page cannot go on from these weights: \w+ of the \w+ is .* in the file and must be .*\. In a clone, dit train --from goes on from any\.$/,
      )
      expect(await weights.getByRole('button', { name: 'Train from these weights' }).count()).toBe(0)
      expect(await violations(page)).toEqual([])
      await weights.getByRole('button', { name: 'Close the file' }).click()
      await expect.poll(() => weights.locator('canvas').count()).toBe(0)
      await open(join(site.folder, 'index.html'))
      await expect
        .poll(() => weights.getByRole('alert').textContent(), WAIT)
        .toMatch(/index\.html.*\. Open a \.safetensors file that this page exported/)
    })
  })

  test('it says that transparent pictures lie on a mid grey, and nothing of opaque ones', async () => {
    const disc = (alpha: number) =>
      toPng({
        width: 2,
        height: 2,
        data: Uint8Array.from([255, 0, 0, 255, 0, 0, 0, alpha, 9, 9, 9, 255, 0, 9, 0, 255]),
      })
    const files = await Promise.all(
      [255, 255, 0, 128].map(async (alpha, i) => ({
        name: `${i}.png`,
        mimeType: 'image/png',
        buffer: Buffer.from(await disc(alpha)),
      })),
    )
    await visit('train.html', async (page) => {
      await page.getByRole('radio', { name: 'My pictures' }).check({ force: true })
      const own = page.locator('.figure-file', { has: page.locator('input[multiple]') })
      const says = async (text: string) => {
        await expect.poll(() => own.locator('[aria-live]').textContent(), WAIT).toBe(text)
      }
      await own.locator('input[multiple]').setInputFiles(files)
      await says(
        '4 pictures in one class. 2 are transparent and lie on a mid grey, #808080: the network makes opaque pictures.',
      )
      await own.locator('input[multiple]').setInputFiles(files.slice(0, 2))
      await says('2 pictures in one class.')
    })
  })

  test('it goes on from weights of its own network, by keyboard', async () => {
    const file = await shapesFile(join(site.folder, '..'))
    await visit('train.html', async (page) => {
      const status = page.locator('.train-status')
      const seen = async (text: RegExp) => {
        await expect.poll(() => status.textContent(), WAIT).toMatch(text)
      }
      await seen(/Nothing is trained here yet/)
      const weights = page.getByRole('group', { name: 'Weights from a file' })
      const says = async (text: RegExp) => {
        await expect.poll(() => weights.getByRole('status').textContent(), WAIT).toMatch(text)
      }
      await weights.getByLabel('Or open weights').setInputFiles(file)
      await says(/^dit-shapes-0\.safetensors: 16 × 16 pixels, 6 classes, [\d,]+ parameters\. Drawn with seed 0\.$/)
      // The data that they were made for.
      expect(await page.getByRole('radio', { name: 'Shapes' }).isChecked()).toBe(true)
      expect(await weights.locator('.train-start').textContent()).toMatch(/is a new run: .* the state of the optimizer/)
      await weights.getByRole('button', { name: 'Draw others' }).focus()
      await page.keyboard.press('Enter')
      await says(/Drawn with seed 1\.$/)
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await seen(/^step \d+ of 1,500 from dit-shapes-0\.safetensors, .* steps a second/)
      await page.getByRole('button', { name: 'Pause' }).click()
      await seen(/^Paused at step \d+ of 1,500 from dit-shapes-0\.safetensors/)
    })
  })

  test('it goes on with the folder of a run of the command line', async () => {
    const run = join(site.folder, '../a-run')
    const flags = [...TINY.filter((flag) => !flag.startsWith('--backend')), '--backend=cpu-wasm', '--quiet']
    const train = ['train', '--data=shapes', '--steps=6', '--checkpoint-every=3', '--out', run, ...flags]
    const { code, stderr } = await runDit(train)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    rmSync(join(run, 'checkpoints/step-0000006'), { recursive: true })
    await visit('train.html', async (page) => {
      const seen = async (text: RegExp) => {
        await expect.poll(() => page.locator('.train-status').textContent(), WAIT).toMatch(text)
      }
      await seen(/Nothing is trained here yet/)
      await page.getByLabel('Or go on with the folder of a run').setInputFiles(run)
      await seen(/^Paused at step 3 of 6\./)
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Go on', exact: true }).click()
      await seen(/^Finished: step 6 of 6/)
    })
  })
}
