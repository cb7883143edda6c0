import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'
import { path } from './values.js'

/** Where a command reads its options from, and what it prints. */
export const OTHER_SETTINGS = {
  config: {
    flag: '--config <file>',
    help: 'JSON file with any of these options in camel case; the command line wins',
    parse: path,
    mayChange: true,
    perRank: true,
  },
  quiet: { flag: '-q, --quiet', help: 'print only warnings and errors', mayChange: true, perRank: true },
  json: { flag: '--json', help: 'print one JSON object per line', mayChange: true, perRank: true },
} as const satisfies Settings<RunSetting>
