import { add, concat, mul, type Params, reshape, scope, slice, type Tensor, tensor } from '@dit/tensor'
import { checkVaeParamsOnce } from './check-params.js'
import { spatialFactor, type VaeConfig } from './config.js'
import { checkLatents, decodeLatents } from './decode.js'
import { checkImages, encodeMoments } from './encode.js'
import { type Posterior, posteriorOf } from './posterior.js'

export interface TiledOptions {
  /** Side of a tile in pixels of the image, a multiple of `4 spatialFactor(config)`; by default about `config.sampleSize`. */
  readonly tileSize?: number
  /** Called after each tile, with how many are done. */
  readonly onTile?: (done: number, total: number) => void
}

/** Neighbouring tiles share this part of their side. */
const OVERLAP = 0.25

/**
 * `encode` for images of any size, tile by tile: the memory needed on top of image and latents is that of one tile and one
 * row of latents. Tiles overlap by a quarter and are blended into each other, as diffusers does it. The latents differ
 * a little from those of the whole image, since norms and attention see one tile at a time.
 *
 * @param images as for `encode`
 * @returns as `encode`, which does the work where one tile holds the image
 * @throws RangeError as `encode`, and when tiles of `tileSize` do not split into quarters of latents
 */
export function encodeTiled(
  config: VaeConfig,
  params: Params,
  images: Tensor,
  { tileSize = usualTile(config), onTile }: TiledOptions = {},
): Posterior {
  checkVaeParamsOnce(config, params)
  checkImages('encodeTiled', config, images)
  checkTile('encodeTiled', config, tileSize)
  const factor = spatialFactor(config)
  return scope(() => {
    const run = (tile: Tensor) => encodeMoments(config, params, tile)
    return posteriorOf(tiled(images, run, { tile: tileSize, scale: 1 / factor, onTile }))
  })
}

/**
 * `decode` for latents of any size, tile by tile, as `encodeTiled` encodes.
 *
 * @param z as for `decode`, not scaled
 * @returns as `decode`
 * @throws RangeError as `decode`, and when tiles of `tileSize` do not split into quarters of latents
 */
export function decodeTiled(
  config: VaeConfig,
  params: Params,
  z: Tensor,
  { tileSize = usualTile(config), onTile }: TiledOptions = {},
): Tensor {
  checkVaeParamsOnce(config, params)
  checkLatents('decodeTiled', config, z)
  checkTile('decodeTiled', config, tileSize)
  const factor = spatialFactor(config)
  return scope(() => {
    const run = (tile: Tensor) => decodeLatents(config, params, tile)
    return tiled(z, run, { tile: tileSize / factor, scale: factor, onTile })
  })
}

/** About the size that the autoencoder was trained on, as tiles can have it. */
function usualTile(config: VaeConfig): number {
  const step = 4 * spatialFactor(config)
  return Math.max(step, Math.floor(config.sampleSize / step) * step)
}

function checkTile(caller: string, config: VaeConfig, tileSize: number): void {
  const step = spatialFactor(config) / OVERLAP
  if (!Number.isSafeInteger(tileSize) || tileSize < step || tileSize % step !== 0) {
    throw new RangeError(`${caller}: tileSize must be a positive multiple of ${step} (got ${tileSize})`)
  }
}

interface Tiling {
  /** Side of a tile of the input. */
  readonly tile: number
  /** Pixels of the result for a pixel of the input. */
  readonly scale: number
  readonly onTile?: (done: number, total: number) => void
}

/** Runs tiles through a network and joins what comes out. Tiles begin every three quarters of their side. */
function tiled(x: Tensor, run: (tile: Tensor) => Tensor, { tile, scale, onTile }: Tiling): Tensor {
  const [, , H, W] = x.shape
  if (H <= tile && W <= tile) return run(x)
  const step = tile * (1 - OVERLAP)
  const [blended, kept] = [tile * scale * OVERLAP, tile * scale * (1 - OVERLAP)]
  const rows = startsOf(H, step)
  const columns = startsOf(W, step)
  const strips: Tensor[] = []
  let done = 0
  let above: Tensor[] = []
  for (const i of rows) {
    const row: Tensor[] = []
    for (const j of columns) {
      const cut = (axis: number, start: number) => (y: Tensor) =>
        slice(y, axis, start, Math.min(tile, y.shape[axis] - start))
      const at = row.length
      row.push(
        scope(() => {
          const out = run(cut(3, j)(cut(2, i)(x)))
          const under = above.length === 0 ? out : blend(above[at], out, 2, blended)
          return at === 0 ? under : blend(row[at - 1], under, 3, blended)
        }),
      )
      onTile?.(++done, rows.length * columns.length)
    }
    strips.push(
      scope(() =>
        concat(
          row.map((each) => head(head(each, 2, kept), 3, kept)),
          3,
        ),
      ),
    )
    for (const each of above) each.dispose()
    above = row
  }
  return concat(strips, 2)
}

function startsOf(extent: number, step: number): number[] {
  return Array.from({ length: Math.ceil(extent / step) }, (_, i) => i * step)
}

function head(x: Tensor, axis: number, count: number): Tensor {
  return slice(x, axis, 0, Math.min(count, x.shape[axis]))
}

/** `next`, whose first entries fade in from the last ones of `previous`. */
function blend(previous: Tensor, next: Tensor, axis: number, count: number): Tensor {
  const extent = Math.min(previous.shape[axis], next.shape[axis], count)
  const rest = next.shape[axis] - extent
  return scope(() => {
    const shape = next.shape.map((_, i) => (i === axis ? extent : 1))
    const fade = (share: (i: number) => number) => {
      const weights = tensor(
        Array.from({ length: extent }, (_, i) => share(i / extent)),
        [extent],
        {
          backend: next.backend,
        },
      )
      return reshape(weights, shape)
    }
    const end = slice(previous, axis, previous.shape[axis] - extent, extent)
    const mixed = add(
      mul(
        end,
        fade((t) => 1 - t),
      ),
      mul(
        slice(next, axis, 0, extent),
        fade((t) => t),
      ),
    )
    return rest === 0 ? mixed : concat([mixed, slice(next, axis, extent, rest)], axis)
  })
}
