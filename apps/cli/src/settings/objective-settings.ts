import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'
import { jsonObject, path } from './values.js'

/** What is trained in place of a DiT. */
export const OBJECTIVE_SETTINGS = {
  objective: {
    flag: '--objective <module>',
    help: 'train the network or loss that this JavaScript module exports, instead of a DiT',
    parse: path,
    mayChange: true,
  },
  objectiveOptions: {
    flag: '--objective-options <json>',
    help: 'a JSON object that the functions of --objective receive as `options`, such as \'{"channels": 32}\'; a config file holds the object itself',
    parse: jsonObject,
    place: 'objective.options',
    read: (kept: object | undefined) => (kept === undefined ? undefined : JSON.stringify(kept)),
    isOptional: true,
  },
} as const satisfies Settings<RunSetting>
