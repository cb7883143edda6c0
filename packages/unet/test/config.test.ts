import { expect, test } from 'vitest'
import { checkUNet, nullClass, unetConfig } from '../src/index.js'
import { TINY } from './tiny.js'

test('the defaults: three levels, attention in the coarsest, as many groups as four channels each allow', () => {
  const config = unetConfig({ inputSize: 32, channels: 48, numClasses: 17, headChannels: 16 })
  expect(config).toMatchObject({
    inChannels: 3,
    channelMultipliers: [1, 2, 2],
    attentionLevels: [2],
    numGroups: 8,
    classDropout: 0.1,
    learnSigma: false,
  })
  expect(unetConfig({ inputSize: 32, channels: 128, numClasses: 1 }).numGroups).toBe(32)
  expect(nullClass(config)).toBe(17)
  expect(nullClass({ ...config, classDropout: 0 })).toBeNull()
})

test.each([
  [{ inputSize: 30 }, 'unet: inputSize must be a multiple of 4, halved between 3 levels (got 30)'],
  [{ channels: 0 }, 'unet: channels must be a positive whole number (got 0)'],
  [{ channels: 7, numGroups: 1 }, 'unet: channels must be even (got 7)'],
  [{ channels: 20, numGroups: 8 }, 'unet: channels 20 must split into numGroups 8 groups'],
  [{ channelMultipliers: [] }, 'unet: channelMultipliers must name one level or more (got none)'],
  [{ channelMultipliers: [1, 1.5] }, 'unet: channelMultipliers must be a positive whole number (got 1.5)'],
  [{ attentionLevels: [3] }, 'unet: attentionLevels must be levels 0 to 2 (got 3)'],
  [{ headChannels: 5 }, 'unet: the 64 channels of level 2 must split into heads of 5'],
  [{ classDropout: 1 }, 'unet: classDropout must be 0 or more and below 1 (got 1)'],
  [{ numClasses: 0 }, 'unet: numClasses must be a positive whole number (got 0)'],
])('%o is refused', (change, message) => {
  expect(() => unetConfig({ inputSize: 32, channels: 32, numClasses: 2, ...change })).toThrow(message)
})

test('one level needs no halving', () => {
  expect(() => checkUNet({ ...TINY, inputSize: 7, channelMultipliers: [1], attentionLevels: [] })).not.toThrow()
})
