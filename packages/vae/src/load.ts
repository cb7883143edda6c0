import { type Backend, currentBackend, keep, type Params, type Shape, type Tensor, tensor } from '@dit/tensor'
import { checkShapes } from './check-params.js'
import type { VaeConfig } from './config.js'
import { vaeParameterShapes } from './parameter-shapes.js'
import { vaeNames } from './stored-names.js'

/** Named tensors that can be read one by one, such as `openSafetensors` of @dit/checkpoint gives. */
export interface NamedFloats {
  readonly entries: ReadonlyMap<string, { readonly shape: Shape }>
  float32(name: string): Promise<Float32Array>
}

export interface LoadVaeOptions {
  /** Where the parameters live; the current backend by default. */
  readonly backend?: Backend
}

/**
 * Reads an autoencoder. The names may be those of diffusers' `AutoencoderKL`, of its early versions, or of CompVis (there also
 * inside a whole Stable Diffusion checkpoint); projections of an attention may be stored as 1x1 convolutions. Names and
 * shapes are checked before anything is read.
 *
 * ```js
 * const file = await openSafetensorsFile('vae/diffusion_pytorch_model.safetensors')
 * const params = await loadVaeParams(vaeConfig(JSON.parse(await readFile('vae/config.json', 'utf8'))), file)
 * ```
 *
 * @returns by our names; the caller disposes of them
 * @throws RangeError that lists every parameter that is missing, has another shape, does not belong, or is there twice
 */
export async function loadVaeParams(
  config: VaeConfig,
  source: NamedFloats,
  { backend = currentBackend() }: LoadVaeOptions = {},
): Promise<Params> {
  const stored = storedNames(config, source)
  const params: Record<string, Tensor> = {}
  try {
    for (const [name, shape] of Object.entries(vaeParameterShapes(config))) {
      const values = await source.float32(stored.get(name)!)
      params[name] = keep(tensor(values, shape, { backend }))
    }
    return params
  } catch (error) {
    for (const param of Object.values(params)) param.dispose()
    throw error
  }
}

/** The name in the file of each of our names. */
function storedNames(config: VaeConfig, { entries }: NamedFloats): ReadonlyMap<string, string> {
  const wanted = vaeParameterShapes(config)
  const stored = new Map<string, string>()
  const shapes: Record<string, Shape> = {}
  for (const [original, name] of vaeNames(entries.keys(), config.blockOutChannels.length)) {
    const twin = stored.get(name)
    if (twin !== undefined) {
      throw new RangeError(`loadVaeParams: there must be one ${name} (got ${twin} and ${original})`)
    }
    stored.set(name, original)
    shapes[name] = asLinear(entries.get(original)!.shape, wanted[name])
  }
  checkShapes('loadVaeParams', config, shapes, (name) => stored.get(name) ?? name)
  return stored
}

/** The shape of a 1x1 convolution as that of the linear layer it is, where one is wanted. */
function asLinear(shape: Shape, wanted: Shape | undefined): Shape {
  const isConvolution = wanted?.length === 2 && shape.length === 4 && shape[2] === 1 && shape[3] === 1
  return isConvolution ? shape.slice(0, 2) : shape
}
