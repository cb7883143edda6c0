/** `microBatch` -> `--micro-batch` */
export function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Options of `@dit/pipeline` that have another name on the command line. */
const FLAGS: Readonly<Record<string, string>> = {
  labels: '--classes',
  batchSize: '--batch',
  autoencoder: '--vae',
  which: '--raw',
  'process.interpolant': '--path',
  'process.prediction': '--predict',
  'process.meanType': '--predict',
  'process.numTimesteps': '--timesteps',
  'process.varianceType': '--variance',
}

/** The flag of an option of `@dit/pipeline`: `guidanceRescale` -> `--guidance-rescale`. */
export function optionFlag(option: string): string {
  return FLAGS[option] ?? flagOf(option.replace(/^process\./, ''))
}

/** A text of `@dit/pipeline`, where options stand in backquotes, with the flags of the command line in their place. */
export function inFlags(text: string): string {
  return text.replaceAll(/`([a-z]\w*(?:\.\w+)?)`/g, (_, option: string) => optionFlag(option))
}
