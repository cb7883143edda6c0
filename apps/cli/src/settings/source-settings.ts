import type { OptionSetting } from './option-setting.js'
import type { FlagsOf, Settings } from './setting.js'
import { integer, number, path } from './values.js'

/** What the argument of a command that opens a model may be. */
export const MODEL_ARGUMENT =
  'a run, a checkpoint, a weights file, a diffusers folder, @dit/pretrained/heroes or /garments, an address, or hf:owner/name (HF_TOKEN in the environment opens private ones)'

/** The model that a command opens, and what is read of it. */
export const SOURCE_SETTINGS = {
  run: { flag: '--run <folder>', help: 'a run of dit train; its newest complete checkpoint is used', parse: path },
  checkpoint: {
    flag: '--checkpoint <folder|best>',
    help: 'one checkpoint of a run: <run>/checkpoints/step-0001000; or `best`, beside the run, for the one that --keep-best has kept',
    parse: path,
  },
  weights: {
    flag: '--weights <path>',
    help: 'weights from elsewhere: a .pt or .safetensors file, or a diffusers folder',
    parse: path,
  },
  vae: {
    flag: '--vae <folder>',
    help: 'autoencoder that turns latents into pictures (default: the one in a pipeline folder)',
    parse: path,
    option: 'autoencoder',
  },
  lora: {
    flag: '--lora <file>',
    help: 'apply these low-rank adapters, as `dit convert <run> <file> --adapter` writes them',
    parse: path,
    option: 'lora',
  },
  loraScale: {
    flag: '--lora-scale <x>',
    help: 'how strongly the adapters of --lora count: 1 is as trained (default), 0 not at all',
    parse: number(),
    option: 'loraScale',
  },
  raw: {
    flag: '--raw',
    help: 'use the trained weights themselves, not their moving average (EMA)',
    option: 'which',
    store: (isRaw: boolean) => (isRaw ? 'model' : undefined),
  },
  half: {
    flag: '--half <type>',
    help: 'hold the weights in half precision, in half the memory; engines other than webgpu and cpu-native convert them as they are read',
    choices: ['f16', 'bf16'],
  },
  heads: {
    flag: '--heads <n>',
    help: 'attention heads of --weights, if neither the file nor its sizes tell',
    parse: integer(1),
    option: 'heads',
  },
  key: {
    flag: '--key <name>',
    help: 'where a .pt file keeps its weights, if dit does not find them, such as state.model',
    option: 'key',
  },
  objective: {
    flag: '--objective <module>',
    help: 'of a run that trains the network of a module: the module, if it is no longer where it was',
    parse: path,
  },
} as const satisfies Settings<OptionSetting>

/** Flags that say which model is meant. */
export type SourceFlags = FlagsOf<typeof SOURCE_SETTINGS>
