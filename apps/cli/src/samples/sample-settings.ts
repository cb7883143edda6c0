import { DIFFUSION_FORMS, LAST_STEPS, SAMPLE_DEFAULTS, SAMPLERS } from '@dit/pipeline'
import type { Command } from 'commander'
import { ENGINE_SETTINGS } from '../engines/engine-options.js'
import type { OptionSetting } from '../settings/option-setting.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { WEIGHTS_PROCESS_SETTINGS } from '../settings/process-settings.js'
import { addSettings, type FlagsOf, type Settings } from '../settings/setting.js'
import { SOURCE_SETTINGS } from '../settings/source-settings.js'
import { integer, number, numbersByName, orWord, path, positive, range } from '../settings/values.js'

/** A setting of `dit sample`. */
export interface SampleSetting extends OptionSetting {
  /** The option of `@dit/pipeline` is what the file at the setting's path holds. */
  readonly holds?: 'noise' | 'picture' | 'model'
}

/** Most pictures of a class; memory may set a lower limit. */
const MAX_COUNT = 1_000_000

/** What is drawn. */
const PICTURE_SETTINGS = {
  classes: {
    flag: '--classes <list>',
    help: 'class names or numbers, separated by commas, or `all` (default all); 1,000 classes have the names of ImageNet',
    option: 'classes',
  },
  count: {
    flag: '--count <n>',
    help: 'pictures of each class (default {default})',
    parse: integer(1, MAX_COUNT),
    default: 6,
    option: 'count',
  },
  total: {
    flag: '--total <n>',
    help: 'pictures in all, of classes drawn at random by the seed, in place of --count: for FID, as the sampling script of DiT has it',
    parse: integer(1),
    option: 'total',
  },
  conditions: {
    flag: '--conditions <file>',
    help: 'of a network that is told conditions: what to draw, a picture (or --count) for each row of this safetensors file, whose tensors have the names of the conditions',
    parse: path,
  },
  seed: {
    flag: '--seed <n>',
    help: 'seed of the noise (default {default})',
    parse: integer(),
    default: SAMPLE_DEFAULTS.seed,
    option: 'seed',
  },
  image: {
    flag: '--image <file>',
    help: 'change this picture instead of starting from noise; it is cropped and scaled to the size of the model, and the default sampler is then ddim',
    parse: path,
    option: 'image',
    holds: 'picture',
  },
  strength: {
    flag: '--strength <s>',
    help: `how much noise --image gets, above 0 and up to 1 (default ${SAMPLE_DEFAULTS.strength}; 1 with --mask)`,
    parse: number(0, 1),
    option: 'strength',
  },
  mask: {
    flag: '--mask <file>',
    help: 'repaint --image only where this picture is white',
    parse: path,
    option: 'mask',
    holds: 'picture',
  },
} as const satisfies Settings<SampleSetting>

/** Classifier-free guidance and its variants. */
const GUIDANCE_SETTINGS = {
  guidance: {
    flag: '--guidance <scale>',
    help: 'strength of classifier-free guidance: above 1, pictures show their class more clearly and vary less; 1 is none (default {default}). With --conditions also a scale for each, such as caption=4,style=1.5',
    parse: numbersByName(),
    default: SAMPLE_DEFAULTS.guidance,
    option: 'guidance',
    // Scales by name are the network's own business.
    store: (scale: number | string) => (typeof scale === 'number' ? scale : undefined),
  },
  guidanceChannels: {
    flag: '--guidance-channels <n|all>',
    help: 'guide only the first n channels (default {default}; all for diffusers weights)',
    parse: orWord('all', integer(1)),
    default: SAMPLE_DEFAULTS.guidanceChannels,
    option: 'guidanceChannels',
    store: (channels: number | null) => channels ?? 'all',
  },
  guidanceInterval: {
    flag: '--guidance-interval <low,high>',
    help: 'guide only while noise over signal (sigma / alpha) is in this range (default: always)',
    parse: range,
    option: 'guidanceInterval',
  },
  guidanceRescale: {
    flag: '--guidance-rescale <phi>',
    help: 'undo this share of the contrast that guidance adds, 0 to 1: try 0.7 if strong guidance burns out; has little effect if the network predicts noise or velocity (default 0)',
    parse: number(0, 1),
    option: 'guidanceRescale',
  },
  guide: {
    flag: '--guide <path>',
    help: 'guide away from this weaker model (a smaller run, an early checkpoint, weights) instead of from the null class',
    parse: path,
    option: 'guide',
    holds: 'model',
  },
  nullClass: {
    flag: '--null-class <n>',
    help: 'number of the null class, which stands for no class, or of a class to guide away from (default: the null class of the model)',
    parse: integer(),
    option: 'nullClass',
  },
} as const satisfies Settings<SampleSetting>

/** How noise becomes pictures. */
const SAMPLING_SETTINGS = {
  steps: {
    flag: '--steps <n>',
    help: 'denoising steps (default {default}); dopri5 chooses its own steps, and this is the number of states for --trajectory',
    parse: integer(1),
    default: SAMPLE_DEFAULTS.steps,
    option: 'steps',
  },
  sampler: {
    flag: '--sampler <name>',
    help: 'sampling method; the end of this text says when to use which',
    choices: SAMPLERS,
    option: 'sampler',
  },
  spacing: {
    flag: '--spacing <name>',
    help: "where the steps lie. Gaussian diffusion: leading, linspace, trailing, karras, exponential, beta (default: the sampler's own). Flow: linspace (default), karras, exponential, beta",
    option: 'spacing',
  },
  shift: {
    flag: '--shift <s>',
    help: 'shift the times of a flow: above 1 spends more steps near the noise (default: as in training)',
    parse: positive,
    option: 'shift',
  },
  clip: {
    flag: '--clip',
    help: 'clip estimates to the pixel range (default for pixel models)',
    negation: 'let estimates leave the pixel range',
    option: 'clip',
  },
  eta: {
    flag: '--eta <x>',
    help: 'fresh noise in each step of ddim, 0 (none) to 1 (as in ddpm) (default {default})',
    parse: number(0, 1),
    default: SAMPLE_DEFAULTS.eta,
    option: 'eta',
  },
  diffusionForm: {
    flag: '--diffusion-form <name>',
    help: 'how much noise sde and heun-sde add over time (default sigma)',
    choices: DIFFUSION_FORMS,
    option: 'diffusionForm',
  },
  diffusionNorm: {
    flag: '--diffusion-norm <x>',
    help: 'factor of that noise (default 1)',
    parse: number(0),
    option: 'diffusionNorm',
  },
  lastStep: {
    flag: '--last-step <name>',
    help: 'last step of sde and heun-sde, which adds no noise (default tweedie: jump to the estimated data)',
    choices: LAST_STEPS,
    option: 'lastStep',
  },
  lastStepSize: {
    flag: '--last-step-size <t>',
    help: 'time at which that last step begins (default 0.04)',
    parse: number(0, 1),
    option: 'lastStepSize',
  },
  rtol: {
    flag: '--rtol <x>',
    help: 'relative error tolerance of dopri5 (default 0.001)',
    parse: number(0),
    option: 'rtol',
  },
  atol: {
    flag: '--atol <x>',
    help: 'absolute error tolerance of dopri5 (default 0.000001)',
    parse: number(0),
    option: 'atol',
  },
  noise: {
    flag: '--noise <file>',
    help: 'start from this noise instead of --seed: [N, C, H, W] in .npy, .npz or .safetensors',
    parse: path,
    option: 'noise',
    holds: 'noise',
  },
  draws: {
    flag: '--draws <file>',
    help: 'noise of each step of sde, heun-sde, ddpm and ddim: [draws, N, C, H, W] in such a file',
    parse: path,
    option: 'draws',
    holds: 'noise',
  },
} as const satisfies Settings<SampleSetting>

/** What is written, and where. */
const OUTPUT_SETTINGS = {
  out: { flag: '--out <file>', help: 'the picture grid, a PNG (default: samples.png in the run folder)', parse: path },
  force: {
    flag: '--force',
    help: 'overwrite existing files, and begin anew what was stopped; without it a new file gets a number, such as samples-2.png',
  },
  singles: {
    flag: '--singles [folder]',
    help: 'also write each picture as a PNG (default folder: beside the grid)',
    parse: path,
  },
  npz: {
    flag: '--npz [file]',
    help: 'also write all pictures as arr_0, uint8 [N, H, W, 3], with their classes as arr_1, int64 [N] (default file: beside the grid)',
    parse: path,
  },
  latents: {
    flag: '--latents <file>',
    help: 'write the samples before decoding, as arr_0, float32 [N, C, H, W], to an npz',
    parse: path,
  },
  trajectory: {
    flag: '--trajectory <file>',
    help: 'write the samples after every step, as arr_0, float32 [steps, N, C, H, W], to an npz',
    parse: path,
  },
  preview: { flag: '--preview', help: 'while sampling, show the current estimates in <out>.preview.png' },
} as const satisfies Settings<SampleSetting>

const COMPUTE_SETTINGS = {
  tile: {
    flag: '--tile',
    help: 'decode large pictures of an autoencoder in tiles: less memory, slightly different (default: only if memory is short)',
    negation: 'decode each picture as a whole',
    option: 'tile',
  },
  batch: {
    flag: '--batch <n>',
    help: 'pictures computed at a time (default {default})',
    parse: integer(1),
    default: SAMPLE_DEFAULTS.batchSize,
    option: 'batchSize',
  },
  ...ENGINE_SETTINGS,
} as const satisfies Settings<SampleSetting>

/** Every setting of `dit sample`, but those of a process. */
export const SAMPLE_SETTINGS = {
  ...PICTURE_SETTINGS,
  ...GUIDANCE_SETTINGS,
  ...SAMPLING_SETTINGS,
  ...OUTPUT_SETTINGS,
  ...SOURCE_SETTINGS,
  ...COMPUTE_SETTINGS,
  ...OTHER_SETTINGS,
} as const

/** The same for whoever loops over it. */
export const SAMPLE_ROWS: Settings<SampleSetting> = SAMPLE_SETTINGS

/** Options of `dit sample` as given; keys of a config file are the same. */
export type SampleFlags = FlagsOf<typeof SAMPLE_SETTINGS & typeof WEIGHTS_PROCESS_SETTINGS>

/** Adds the options of `dit sample`. The defaults stand in the help only. */
export function addSampleOptions(command: Command): Command {
  addSettings(command, PICTURE_SETTINGS, 'Pictures')
  addSettings(command, GUIDANCE_SETTINGS, 'Guidance')
  addSettings(command, SAMPLING_SETTINGS, 'Sampling')
  addSettings(command, OUTPUT_SETTINGS, 'Output')
  addSettings(command, SOURCE_SETTINGS, 'Model')
  addSettings(command, WEIGHTS_PROCESS_SETTINGS, 'Process of the weights, if their file does not say')
  addSettings(command, COMPUTE_SETTINGS, 'Engine')
  return addSettings(command, OTHER_SETTINGS, 'Other')
}
