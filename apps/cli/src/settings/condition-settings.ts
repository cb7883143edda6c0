import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'
import { nameList, numbersByName } from './values.js'

/** What a network is told in place of a class. */
export const CONDITION_SETTINGS = {
  conditions: {
    flag: '--conditions <list>',
    help: 'tell the network these conditions of conditions.safetensors, a file in the folder of --data or --latents, in place of the class: names separated by commas, among which `labels` is the class; or `all` in the file, or `none`',
    parse: nameList,
    ofData: (data) => ('conditions' in data ? data.conditions?.asked : undefined),
  },
  conditionDropout: {
    flag: '--condition-dropout <p>',
    help: 'share of each condition that is left out during training, so that guidance works later; one number, or by name, such as caption=0.2,style=0 (default {default})',
    parse: numbersByName(0, 1),
    default: 0.1,
    // A resumed run compares it by condition.
    mayChange: true,
  },
} as const satisfies Settings<RunSetting>
