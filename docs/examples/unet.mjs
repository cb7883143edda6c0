// A U-Net to set a DiT against: dit train --objective docs/examples/unet.mjs --objective-options '{"channels": 32}' --recipe pictures
import { denoising } from '@dit/train-ddp'
import { unet, unetConfig } from '@dit/unet'

// The process with which `dit train` trains a DiT on pictures: held-out errors of the two can be compared.
const PROCESS = { meanType: 'x0', schedule: 'squaredcos_cap_v2', varianceType: 'fixedSmall' }

/** `options` are fields of `unetConfig`; `channels` is required. Labels are dropped as often as a DiT's. */
export const objective = ({ classes, shape: [inChannels, ...inputSize], options }) =>
  denoising(unet(unetConfig({ inChannels, inputSize, numClasses: classes.length, ...options })), PROCESS)
