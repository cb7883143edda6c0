import { checkVaeConfig, type VaeConfig } from './config.js'

/**
 * Reads the `config.json` of diffusers' `AutoencoderKL`. Where a field is missing, that library's default holds.
 *
 * @param json the parsed file
 * @throws RangeError when the file asks for what there is not, such as another activation, or a field is out of range
 * @throws TypeError when it is no object or a field has the wrong kind
 */
export function vaeConfig(json: unknown): VaeConfig {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    throw new TypeError(`vaeConfig: the configuration must be an object (got ${JSON.stringify(json)})`)
  }
  const fields = json as Readonly<Record<string, unknown>>
  refuseOthers(fields)
  const config: VaeConfig = {
    inChannels: number(fields, 'in_channels', 3),
    outChannels: number(fields, 'out_channels', 3),
    latentChannels: number(fields, 'latent_channels', 4),
    blockOutChannels: numbers(fields, 'block_out_channels', [64]),
    layersPerBlock: number(fields, 'layers_per_block', 1),
    normNumGroups: number(fields, 'norm_num_groups', 32),
    sampleSize: Array.isArray(fields['sample_size'])
      ? numbers(fields, 'sample_size', [])[0]
      : number(fields, 'sample_size', 32),
    scalingFactor: number(fields, 'scaling_factor', 0.18215),
    shiftFactor: number(fields, 'shift_factor', 0),
    useQuantConv: flag(fields, 'use_quant_conv'),
    usePostQuantConv: flag(fields, 'use_post_quant_conv'),
    midBlockAddAttention: flag(fields, 'mid_block_add_attention'),
  }
  const complete = { ...config, ...statistics(fields) }
  checkVaeConfig(complete)
  return complete
}

/** Mean and deviation of each channel of the latents, where they are there. */
function statistics(fields: Readonly<Record<string, unknown>>): Pick<VaeConfig, 'latentsMean' | 'latentsStd'> {
  if ((fields['latents_mean'] ?? null) === null && (fields['latents_std'] ?? null) === null) return {}
  const latentsMean = numbers(fields, 'latents_mean', [])
  return { latentsMean, latentsStd: numbers(fields, 'latents_std', []) }
}

function refuseOthers(fields: Readonly<Record<string, unknown>>): void {
  const refuse = (name: string, rule: string) => {
    throw new RangeError(`vaeConfig: ${name} must be ${rule} (got ${JSON.stringify(fields[name])})`)
  }
  const isOneOf = (name: string, ...allowed: readonly unknown[]) =>
    (allowed as unknown[]).includes(fields[name] ?? null)
  if (!isOneOf('_class_name', null, 'AutoencoderKL')) refuse('_class_name', 'AutoencoderKL')
  if (!isOneOf('act_fn', null, 'silu', 'swish')) refuse('act_fn', 'silu')
  const levels = numbers(fields, 'block_out_channels', [64]).length
  for (const [name, kind] of [
    ['down_block_types', 'DownEncoderBlock2D'],
    ['up_block_types', 'UpDecoderBlock2D'],
  ]) {
    const types = fields[name] ?? Array.from({ length: levels }, () => kind)
    if (!Array.isArray(types) || types.length !== levels || types.some((type) => type !== kind)) {
      refuse(name, `${kind} for each of the ${levels} levels`)
    }
  }
}

function number(fields: Readonly<Record<string, unknown>>, name: string, fallback: number): number {
  const value = fields[name] ?? fallback
  if (typeof value !== 'number')
    throw new TypeError(`vaeConfig: ${name} must be a number (got ${JSON.stringify(value)})`)
  return value
}

function numbers(fields: Readonly<Record<string, unknown>>, name: string, fallback: readonly number[]): number[] {
  const value = fields[name] ?? fallback
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'number')) {
    throw new TypeError(`vaeConfig: ${name} must be a list of numbers (got ${JSON.stringify(value)})`)
  }
  return value
}

function flag(fields: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = fields[name] ?? true
  if (typeof value !== 'boolean') {
    throw new TypeError(`vaeConfig: ${name} must be true or false (got ${JSON.stringify(value)})`)
  }
  return value
}
