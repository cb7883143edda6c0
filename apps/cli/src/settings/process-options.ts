import { Option } from 'commander'
import { betasFlag } from './betas-file.js'
import { integer, number } from './values.js'

/** Flags that say what weights were trained on, where their file does not. */
export interface ProcessFlags {
  readonly process?: 'gaussian' | 'flow'
  readonly path?: string
  readonly predict?: string
  readonly schedule?: string
  readonly timesteps?: number
  readonly betaStart?: number
  readonly betaEnd?: number
  /** Text of a JSON list: the contents of the file. */
  readonly betas?: string
  readonly variance?: string
}

/** The flags of `dit train` that describe a process, for weights whose file does not: with the defaults of SiT and of the paper. */
export function processOptions(): Option[] {
  return [
    new Option('--process <family>', 'what the weights were trained on, if the file does not say').choices([
      'gaussian',
      'flow',
    ]),
    new Option('--predict <what>', 'what the network predicts (default epsilon; velocity for a flow)').choices([
      'epsilon',
      'x0',
      'previousX',
      'velocity',
      'score',
    ]),
    new Option('--path <name>', 'how a flow mixes data and noise (default linear)').choices(['linear', 'gvp', 'vp']),
    new Option('--schedule <name>', 'noise schedule of a Gaussian diffusion (default linear)'),
    new Option('--timesteps <n>', 'its timesteps (default 1000)').argParser(integer(2)),
    new Option('--beta-start <x>', 'its first noise variance').argParser(number(0, 1)),
    new Option('--beta-end <x>', 'its last noise variance').argParser(number(0, 1)),
    new Option('--betas <file>', 'its noise variances: a JSON list or an .npy file').argParser(betasFlag),
    new Option('--variance <type>', 'variance of its denoising steps').choices([
      'learnedRange',
      'learned',
      'fixedSmall',
      'fixedLarge',
    ]),
  ]
}
