import { expect, test } from 'vitest'
import { SAMPLE_SETTINGS } from '../../src/samples/sample-settings.js'
import { inFlags, optionFlag } from '../../src/settings/option-flag.js'
import { storedOptions } from '../../src/settings/option-setting.js'

test.each([
  ['guidanceRescale', '--guidance-rescale'],
  ['batchSize', '--batch'],
  ['autoencoder', '--vae'],
  ['which', '--raw'],
  ['process.kind', '--process'],
  ['process.interpolant', '--path'],
  ['process.meanType', '--predict'],
  ['process.numTimesteps', '--timesteps'],
  ['process.varianceType', '--variance'],
])('the option %s is %s on the command line', (option, flag) => {
  expect(optionFlag(option)).toBe(flag)
})

test('flags take the places of options in a text', () => {
  expect(inFlags('only with `mask` or `process.interpolant`; not `npm run demo`')).toBe(
    'only with --mask or --path; not `npm run demo`',
  )
})

test('settings give the options of the pipeline that their rows name', () => {
  const flags = { batch: 4, guidanceChannels: null, raw: true, out: 'a.png', steps: undefined }
  expect(storedOptions(SAMPLE_SETTINGS, flags)).toEqual({ batchSize: 4, guidanceChannels: 'all', which: 'model' })
  expect(storedOptions(SAMPLE_SETTINGS, { raw: false })).toEqual({})
})
