import { createHash } from 'node:crypto'
import { type OpenModel, type SampleOptions, SAMPLE_DEFAULTS, type SamplingPlan } from '@dit/pipeline'
import type { ParameterSource } from '@dit/model'
import type { Params } from '@dit/tensor'
import { optionFlag } from '../settings/option-flag.js'
import { UsageError } from '../terminal/errors.js'
import { formatCount } from '../terminal/format.js'
import { type JobRecord, pictureCount } from './progress-folder.js'
import type { Prompts } from './prompts.js'
import type { SampleFlags } from './sample-settings.js'

export type JobSettings = Readonly<Record<string, unknown>>

/** Options whose value a plan has completed, and those that it has checked only. */
const PLAIN = [
  'spacing',
  'shift',
  'diffusionForm',
  'diffusionNorm',
  'lastStep',
  'lastStepSize',
  'rtol',
  'atol',
] as const satisfies readonly (keyof SampleOptions)[]

/** Names of settings that are no options. */
const NAMES: Readonly<Record<string, string>> = {
  weights: 'the weights of the model',
  guide: 'the weights of --guide',
  autoencoder: 'the weights of the autoencoder',
  engine: 'the engine',
  process: 'the process',
  conditions: 'what --conditions holds',
  half: '--half',
  singles: '--singles',
  npz: '--npz',
  latents: '--latents',
  trajectory: '--trajectory',
}

/** All that the pictures of a job depend on, but for weights and engine, which come later. */
export function jobSettings(
  plan: SamplingPlan,
  options: SampleOptions,
  flags: SampleFlags,
  prompts: Pick<Prompts, 'sha256'> | null = null,
): JobSettings {
  const { guidance, perClass, labels } = plan
  const asked = (flag: string | boolean | undefined) => flag !== undefined && flag !== false
  const plain = Object.fromEntries(PLAIN.map((name) => [name, options[name] ?? null]))
  return {
    ...plain,
    classes: plan.classes.join(','),
    count: perClass,
    total: perClass === null ? labels.length : null,
    seed: plan.seed,
    steps: plan.steps,
    sampler: plan.sampler,
    process: plan.process,
    eta: options.eta ?? SAMPLE_DEFAULTS.eta,
    guidance: typeof flags.guidance === 'string' ? flags.guidance : guidance.scale,
    ...(prompts === null ? {} : { conditions: prompts.sha256 }),
    guidanceChannels: guidance.channels,
    nullClass: guidance.nullClass,
    guidanceInterval: guidance.interval ?? null,
    guidanceRescale: guidance.rescale ?? null,
    clip: plan.clip,
    batchSize: plan.batchSize,
    strength: plan.strength,
    image: digestOf(options.image?.data),
    mask: digestOf(options.mask?.data),
    noise: digestOf(options.noise?.values),
    draws: digestOf(options.draws?.values),
    half: flags.half ?? null,
    singles: asked(flags.singles),
    npz: asked(flags.npz),
    latents: asked(flags.latents),
    trajectory: asked(flags.trajectory),
  }
}

/** SHA-256 of values; null where there are none. */
function digestOf(values: ArrayBufferView | undefined): string | null {
  if (values === undefined) return null
  return createHash('sha256').update(bytesOf(values)).digest('hex')
}

/** SHA-256 of all parameters as the engine holds them; that of @dit/model is of what is stored, as float32. */
export async function engineDigest(params: Params | ParameterSource): Promise<string> {
  const hash = createHash('sha256')
  const names = Object.keys(isParameterSource(params) ? params.shapes : params).toSorted()
  for (const name of names) {
    const tensor = isParameterSource(params) ? params.load(name) : params[name]
    try {
      hash.update(`${name} ${tensor.dtype} ${tensor.shape.join(' ')}\n`)
      hash.update(bytesOf(await tensor.data()))
    } finally {
      if (isParameterSource(params)) tensor.dispose()
    }
  }
  return hash.digest('hex')
}

/** SHA-256 of an autoencoder's tensors and configuration; null where there is none. */
export async function autoencoderDigest({ autoencoder, description }: OpenModel): Promise<string | null> {
  if (autoencoder === null) return null
  const hash = createHash('sha256').update(JSON.stringify([autoencoder.config, description.latents]))
  const file = await autoencoder.open()
  try {
    for (const name of [...file.entries.keys()].toSorted()) {
      hash.update(`${name}\n`)
      hash.update(bytesOf((await file.tensor(name)).data))
    }
  } finally {
    await file.close?.()
  }
  return hash.digest('hex')
}

function isParameterSource(params: Params | ParameterSource): params is ParameterSource {
  return typeof params['load'] === 'function'
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/**
 * Checks that sampling goes on as it was begun.
 *
 * @param anchor the output whose progress it is
 * @throws UsageError that names every difference
 */
export function checkSameSettings(anchor: string, record: JobRecord, now: JobSettings): void {
  const told = (value: unknown) => {
    const text = value === null ? 'not given' : typeof value === 'string' ? value : JSON.stringify(value)
    return text.length > 60 ? `${text.slice(0, 57)}...` : text
  }
  const isOneOf = (value: unknown) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
  const differences = Object.entries(now).flatMap(([key, value]) => {
    const before = record.settings[key] ?? null
    if (JSON.stringify(before) === JSON.stringify(value)) return []
    const name = NAMES[key] ?? optionFlag(key)
    if (isOneOf(before) && isOneOf(value))
      return [name.startsWith('the ') ? `${name} are others` : `${name} is another`]
    if (isOneOf(before) || isOneOf(value)) return [`${name} ${value === null ? 'is missing' : 'is new'}`]
    if (typeof before === 'boolean' && typeof value === 'boolean') {
      return [`it was ${before ? 'with' : 'without'} ${name}, and is ${value ? 'with' : 'without'}`]
    }
    return [`${name} was ${told(before)}, and is ${told(value)}`]
  })
  if (differences.length === 0) return
  const [done, all] = [pictureCount(record), record.pictures].map(formatCount)
  throw new UsageError(
    `${anchor} was begun with other settings, and ${done} of ${all} pictures are done: ${differences.join('; ')}. Continue with the same settings, begin anew with --out ${anchor} --force, or give another --out`,
  )
}
