import { type Command, Option } from 'commander'
import { type EngineFlags, engineOptions } from '../engines/engine-options.js'
import { DIFFUSION_FORMS, LAST_STEPS, SAMPLE_DEFAULTS as PIPELINE_DEFAULTS, SAMPLERS } from '@dit/pipeline'
import type { SourceFlags } from '../settings/model-source.js'
import { processOptions } from '../settings/process-options.js'
import { integer, number, orWord, path, positive, range } from '../settings/values.js'

/** Options of `dit sample` as given; keys of a config file are the same. */
export interface SampleFlags extends EngineFlags, SourceFlags {
  readonly classes?: string
  readonly count?: number
  readonly steps?: number
  readonly sampler?: string
  readonly spacing?: string
  readonly shift?: number
  readonly eta?: number
  readonly diffusionForm?: (typeof DIFFUSION_FORMS)[number]
  readonly diffusionNorm?: number
  readonly lastStep?: (typeof LAST_STEPS)[number]
  readonly lastStepSize?: number
  readonly rtol?: number
  readonly atol?: number
  readonly noise?: string
  readonly draws?: string
  readonly guidance?: number
  readonly guidanceChannels?: number | null
  readonly guide?: string
  readonly guidanceInterval?: readonly [number, number]
  readonly guidanceRescale?: number
  readonly nullClass?: number
  readonly clip?: boolean
  readonly seed?: number
  readonly batch?: number
  readonly image?: string
  readonly strength?: number
  readonly mask?: string
  readonly out?: string
  readonly force?: boolean
  readonly singles?: boolean | string
  readonly npz?: boolean | string
  readonly preview?: boolean
  readonly latents?: string
  readonly trajectory?: string
  readonly quiet?: boolean
  readonly json?: boolean
}

/** What `dit sample` uses where a flag is absent. */
export const SAMPLE_DEFAULTS = { ...PIPELINE_DEFAULTS, classes: 'all', count: 6 } as const

/** Most pictures of a class; memory may set a lower bound. */
const MAX_COUNT = 1_000_000

const D = SAMPLE_DEFAULTS

/** Adds the options of `dit sample`; defaults are told in the help only. */
export function addSampleOptions(command: Command): Command {
  const add = (group: string, flags: string, help: string, parse?: (text: string) => unknown) => {
    const option = new Option(flags, help).helpGroup(`${group}:`)
    if (parse !== undefined) option.argParser(parse)
    command.addOption(option)
    return option
  }
  add('Model', '--run <folder>', 'a run: its newest whole checkpoint is used', path)
  add('Model', '--checkpoint <folder>', 'one checkpoint of a run: <run>/checkpoints/step-0001000', path)
  add('Model', '--weights <path>', 'weights of others: a .pt or .safetensors file, a folder of diffusers', path)
  add(
    'Model',
    '--half <type>',
    'hold the weights in half precision: half the memory; on webgpu on the card, else converted as they are read',
  ).choices(['f16', 'bf16'])
  add('Model', '--vae <folder>', 'autoencoder that turns latents into pictures (default: that of a pipeline)', path)
  add('Model', '--heads <n>', 'attention heads of --weights, where neither file nor size tells them', integer(1))
  for (const option of processOptions()) command.addOption(option.helpGroup('Model:'))
  add('Model', '--raw', 'the trained weights, not their moving average')

  add(
    'Pictures',
    '--classes <list>',
    `names (of ImageNet, for its 1,000 classes) or numbers, with commas between, or all (default ${D.classes})`,
  )
  add('Pictures', '--count <n>', `pictures of each class (default ${D.count})`, integer(1, MAX_COUNT))
  add('Pictures', '--seed <n>', `seed of the noise (default ${D.seed})`, integer())

  add('Pictures', '--image <file>', 'start from this picture, taken back towards noise, instead of from noise', path)
  add(
    'Pictures',
    '--strength <s>',
    'how far it is taken back: above 0, up to 1 (default 0.6; 1 with --mask)',
    number(0, 1),
  )
  add('Pictures', '--mask <file>', 'paint --image anew only where this picture is white', path)

  add(
    'Sampling',
    '--steps <n>',
    `denoising steps (default ${D.steps}); dopri5 chooses its own, and yields so many samples for --trajectory`,
    integer(1),
  )
  add('Sampling', '--sampler <name>', 'method; the end of this text says which to use when').choices(SAMPLERS)
  add(
    'Sampling',
    '--spacing <name>',
    "how the steps lie: of a Gaussian diffusion leading, linspace, trailing, karras, exponential, beta (default: the sampler's own); of a flow linspace (default), karras, exponential, beta",
  )
  add(
    'Sampling',
    '--shift <s>',
    'moves the times of a flow: above 1 towards the noise (default: as it was trained)',
    positive,
  )
  add('Sampling', '--eta <x>', `share of noise in a step of ddim (default ${D.eta})`, number(0, 1))
  add('Sampling', '--diffusion-form <name>', 'how much noise sde and heun-sde add, over time (default sigma)').choices(
    DIFFUSION_FORMS,
  )
  add('Sampling', '--diffusion-norm <x>', 'by which that noise is scaled (default 1)', number(0))
  add(
    'Sampling',
    '--last-step <name>',
    'how sde and heun-sde end, without noise (default tweedie: the estimate of the data)',
  ).choices(LAST_STEPS)
  add('Sampling', '--last-step-size <t>', 'where that last step begins, and its size (default 0.04)', number(0, 1))
  add('Sampling', '--rtol <x>', 'relative error of a step of dopri5 (default 0.001)', number(0))
  add('Sampling', '--atol <x>', 'absolute error of a step of dopri5 (default 0.000001)', number(0))
  add(
    'Sampling',
    '--noise <file>',
    'start from this noise, not from --seed: [N, C, H, W] in .npy, .npz or .safetensors',
    path,
  )
  add(
    'Sampling',
    '--draws <file>',
    'noise of the steps of sde, heun-sde, ddpm and ddim: [draws, N, C, H, W] in such a file',
    path,
  )
  add('Sampling', '--guidance <scale>', `classifier-free guidance; 1 is none (default ${D.guidance})`, number())
  add(
    'Sampling',
    '--guidance-channels <n|all>',
    `channels that are guided, from the first (default ${D.guidanceChannels})`,
    orWord('all', integer(1)),
  )
  add(
    'Sampling',
    '--guide <path>',
    'a weaker model that --guidance leads away from, in place of no class: a smaller run, an early checkpoint, weights',
    path,
  )
  add(
    'Sampling',
    '--guidance-interval <low,high>',
    'guide only where sigma / alpha, noise over signal, is in this range (default: everywhere)',
    range,
  )
  add(
    'Sampling',
    '--guidance-rescale <phi>',
    'give what the network returns this share of the spread that it has without guidance: 0.7 where strong guidance burns out; shows little where it predicts noise or velocity (default 0)',
    number(0, 1),
  )
  add(
    'Sampling',
    '--null-class <n>',
    "number of the class that stands for none, or one to lean away from (default: the model's)",
    integer(),
  )
  add('Sampling', '--clip', 'keep estimates in the range of pixels (default for models of pixels)')
  add('Sampling', '--no-clip', 'let estimates leave the range of pixels')

  add('Output', '--out <file>', 'grid, a PNG (default samples.png in the folder of the run)', path)
  add('Output', '--singles [folder]', 'each picture as a PNG as well (default folder: beside the grid)', path)
  add('Output', '--npz [file]', 'all pictures as uint8 [N, H, W, 3] named arr_0 (default file: beside the grid)', path)
  add(
    'Output',
    '--latents <file>',
    'the samples as the model makes them, float32 [N, C, H, W] named arr_0 in an npz',
    path,
  )
  add(
    'Output',
    '--trajectory <file>',
    'the samples after every step, float32 [steps, N, C, H, W] named arr_0 in an npz',
    path,
  )
  add('Output', '--force', 'overwrite files that exist; by default the new one gets a number')
  add('Output', '--preview', 'show the estimate beside the grid while sampling, in <out>.preview.png')

  for (const option of engineOptions()) command.addOption(option.helpGroup('Engine:'))
  add('Engine', '--batch <n>', `pictures at a time (default ${D.batchSize})`, integer(1))

  add('Other', '--config <file>', 'JSON file with any of these options, in camel case; the command line wins', path)
  add('Other', '-q, --quiet', 'print nothing but warnings and errors')
  add('Other', '--json', 'print one JSON object a line')
  return command
}
