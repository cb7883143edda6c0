import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkThere, openSet } from '../../src/evaluate/open-sets.js'
import { makePictures } from '../support/pictures-to-encode.js'
import { keptFolder } from '../support/run-dit.js'

const folder = keptFolder()

test('a signal stops the check of pictures, which reads all of them', async () => {
  const pictures = join(folder, 'pictures')
  await makePictures(pictures)
  const stop = new AbortController()
  const lines: string[] = []
  const output = {
    isJson: false,
    isQuiet: false,
    terminal: null,
    line(text: string) {
      lines.push(text)
      stop.abort(new Error('stopped'))
    },
    notice() {},
    event() {},
  }
  await expect(openSet('--data', pictures, { size: 8, signal: stop.signal }, output)).rejects.toThrow('stopped')
  expect(lines).toEqual([expect.stringMatching(/^found +\d+ pictures in 2 classes/)])
})

test('what is not there is named with its flag', async () => {
  await expect(checkThere('--train', join(folder, 'none'))).rejects.toThrow(/^--train .*none: no such folder/)
  await expect(checkThere('--data', join(folder, 'none.npz'))).rejects.toThrow(
    /^--data .*none\.npz: there is no such file/,
  )
  await checkThere('--data', 'shapes')
})
