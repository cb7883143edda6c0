import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'

/** Blocks that are not those of the published DiT; absent ones are left out of `config.json`. */
export const BLOCK_SETTINGS = {
  block: {
    flag: '--block <kind>',
    help: 'how blocks are told the timestep and the class (default adaLN-Zero)',
    choices: ['adaLN-Zero', 'adaLN', 'cross-attention', 'in-context'],
    place: 'objective.network.config.block',
    isOptional: true,
  },
  norm: {
    flag: '--norm <kind>',
    help: 'norm of tokens: layer norm, or RMS norm with a trained scale (default layer)',
    choices: ['layer', 'rms'],
    place: 'objective.network.config.norm',
    isOptional: true,
  },
  mlp: {
    flag: '--mlp <kind>',
    help: 'hidden layer of the MLP; swiglu is two thirds as wide, with about as many weights (default gelu)',
    choices: ['gelu', 'swiglu'],
    place: 'objective.network.config.mlp',
    isOptional: true,
  },
  qkNorm: {
    flag: '--qk-norm',
    help: 'normalise queries and keys within each head',
    place: 'objective.network.config.qkNorm',
    isOptional: true,
  },
  rope: {
    flag: '--rope',
    help: 'turn queries and keys by their place (rotary positions); the width of a head must be a multiple of 4',
    place: 'objective.network.config.rope',
    isOptional: true,
  },
  withoutShift: {
    flag: '--without-shift',
    help: 'scale and gate the tokens of blocks, and do not shift them',
    place: 'objective.network.config.modulationShift',
    store: (isWithout: boolean) => !isWithout,
    read: (isShifted: boolean | undefined) => (isShifted === undefined ? undefined : !isShifted),
    isOptional: true,
  },
  sharedModulation: {
    flag: '--shared-modulation',
    help: 'one modulation layer for all blocks, to which each adds a table of its own',
    place: 'objective.network.config.sharedModulation',
    isOptional: true,
  },
} as const satisfies Settings<RunSetting>
