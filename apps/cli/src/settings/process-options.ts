import { Option } from 'commander'

/** Options that say what weights were trained on, where their file does not: those of `dit train`, with the defaults of SiT. */
export function processOptions(): Option[] {
  return [
    new Option('--process <family>', 'what the weights were trained on, where the file does not say').choices([
      'gaussian',
      'flow',
    ]),
    new Option('--path <name>', 'how that flow mixes data and noise (default linear)').choices(['linear', 'gvp', 'vp']),
    new Option('--predict <what>', 'what a network of that flow predicts (default velocity)').choices([
      'velocity',
      'x0',
      'epsilon',
      'score',
    ]),
  ]
}
