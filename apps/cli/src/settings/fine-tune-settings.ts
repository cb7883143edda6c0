import type { RunSetting } from './run-setting.js'
import { SOURCE_SETTINGS } from './source-settings.js'
import type { Settings } from './setting.js'
import { integer, nameList, path, positive } from './values.js'

/** Training that begins with trained weights. `config.json` keeps what was given, so that a resumed run can be compared with it. */
export const FINE_TUNE_SETTINGS = {
  from: {
    flag: '--from <run|weights>',
    help: 'begin with these weights: a run, a weights file, a diffusers folder, @dit/pretrained/heroes, an address or hf:owner/name; network and process are then theirs, and classes are matched by name',
    parse: path,
    place: 'from.source',
    isOptional: true,
  },
  fromWeights: {
    flag: '--from-weights <which>',
    help: 'of a run or training state: the moving average (ema, default) or the trained weights themselves (model)',
    choices: ['ema', 'model'],
    place: 'from.given.fromWeights',
    isOptional: true,
  },
  key: {
    flag: SOURCE_SETTINGS.key.flag,
    help: SOURCE_SETTINGS.key.help,
    place: 'from.given.key',
    isOptional: true,
  },
  newRows: {
    flag: '--new-rows <what>',
    help: 'label rows of classes that --from does not have: the mean of its rows (default), or normal draws as in a fresh network',
    choices: ['mean', 'normal'],
    place: 'from.given.newRows',
    isOptional: true,
  },
  positions: {
    flag: '--positions <how>',
    help: 'positions where --size is not that of --from: scaled to the range that was learned (default), extended beyond it as a fresh network has them, or the old table resampled (bicubic, bilinear)',
    choices: ['scaled', 'extended', 'bicubic', 'bilinear'],
    place: 'from.given.positions',
    isOptional: true,
  },
  resetOutput: {
    flag: '--reset-output',
    help: 'begin the final layer anew; needed where --predict or --process gives its output another meaning',
    place: 'from.given.resetOutput',
    isOptional: true,
    default: false,
  },
  trainOnly: {
    flag: '--train-only <list>',
    help: 'freeze all but these: final, labels, adaln, attn, mlp, blocks, biases, timesteps, patches, positions, blocks.8-, blocks.2-5, or names with *; with --lora, what is trained in full beside the adapters',
    parse: nameList,
    place: 'from.given.trainOnly',
    isOptional: true,
  },
  lora: {
    flag: '--lora <rank>',
    help: 'train low-rank adapters (LoRA) of this rank, such as 8, and leave the weights as they are',
    parse: integer(1),
    place: 'objective.network.lora.rank',
    isOptional: true,
  },
  loraAlpha: {
    flag: '--lora-alpha <x>',
    help: 'the adapters count alpha / rank times (default: the rank, so that they count once)',
    parse: positive,
    place: 'objective.network.lora.alpha',
    isOptional: true,
  },
  loraTargets: {
    flag: '--lora-targets <list>',
    help: 'what gets adapters, named as for --train-only; linear weights among it count (default attn,mlp)',
    parse: nameList,
    place: 'from.given.loraTargets',
    isOptional: true,
  },
} as const satisfies Settings<RunSetting>
