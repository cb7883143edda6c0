import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { expectSamePictures, exported, flow, OPTIONS, type Process, sampleOnnx } from './support/onnx-pictures.js'

describe('the file of ONNX Runtime alone gives the pictures of dit sample, within one level of 255', () => {
  test('a cosine schedule that predicts x0, with guidance', async () => {
    const process = { schedule: 'squaredcos_cap_v2', numTimesteps: 100, meanType: 'x0', varianceType: 'fixedSmall' }
    await expectSamePictures(process as Process, { learnSigma: false }, 'ddim', ['--guidance'])
  })

  test('a curved flow', async () => {
    await expectSamePictures(flow({ interpolant: 'gvp', networkTime: 'towardsData' }), {}, 'euler')
  })
})

test('the example refuses what the file does not have', async () => {
  const { file } = await exported({}, {})
  const bytes = readFileSync(file)
  await expect(sampleOnnx(bytes, { ...OPTIONS, guidance: 2 })).rejects.toThrow(
    'there is no guidance in the file; export it with --guidance',
  )
  await expect(sampleOnnx(bytes, { ...OPTIONS, classes: ['goldfish'] })).rejects.toThrow(
    'there is no class goldfish; there are disc, the ring, a square, tilted, 1, cross, Kreuz ä',
  )
})
