import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectSamePictures, exported, flow, SCRIPT } from './support/onnx-pictures.js'

test('a diffusion with learned variance gives the pictures of dit sample', () => expectSamePictures({}, {}, 'ddim'))

test.each([
  ['with guidance on a curved path', { interpolant: 'gvp', networkTime: 'towardsData' }, {}, ['--guidance']],
  ['with shifted times of 1000', { timestepScale: 1000, times: { law: 'uniform', shift: 3 } }, {}, []],
  ['that predicts noise', { interpolant: 'vp', prediction: 'epsilon' }, { learnSigma: false }, []],
  ['that predicts x0', { prediction: 'x0' }, { learnSigma: false }, []],
  ['that predicts a score', { interpolant: 'vp', prediction: 'score' }, { learnSigma: false }, []],
] as const)('a flow %s gives the pictures of dit sample', async (_, settings, changes, flags) => {
  await expectSamePictures(flow(settings), changes, 'euler', flags)
})

test('the example as a program writes pictures', async () => {
  const { folder, file } = await exported({}, {})
  const args = [SCRIPT, file, '--classes', 'the ring', '--count', '2', '--steps', '3', '--out', folder]
  const printed = execFileSync(process.execPath, args, { encoding: 'utf8' })
  expect(printed).toBe(`${join(folder, '0.ppm')}: the ring\n${join(folder, '1.ppm')}: the ring\n`)
  expect(readFileSync(join(folder, '1.ppm'))).toHaveLength('P6 4 4 255\n'.length + 48)
})
