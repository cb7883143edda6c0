import { type Backend, dispose, full, linear, scope, slice } from '@dit/tensor'
import { type Clock, steadyClock } from './clock.js'

/** Sides of the square matrices that are tried. */
const [SMALLEST, LARGEST] = [64, 4096]
/** Times that each side is run, of which the fastest counts. */
const TIMES = 3
/** Seconds that the products may take in all, and with compiling kernels for them. */
const [SECONDS, SECONDS_WITH_COMPILING] = [0.25, 2]

/**
 * FLOPs a second of an engine's fastest product of two square matrices, n^3 multiply-adds of two FLOPs each: the ceiling that the
 * products of a network are held against. Sides are doubled until the next one would take too long.
 */
export async function fastestProduct(backend: Backend, clock: Clock = steadyClock): Promise<number> {
  const began = clock()
  let [best, spent] = [0, 0]
  for (let side = SMALLEST; side <= LARGEST; side *= 2) {
    const seconds = await productSeconds(backend, side, clock)
    best = Math.max(best, (2 * side ** 3) / seconds)
    spent += TIMES * seconds
    // The next side has eight times as many multiply-adds.
    if (spent + 8 * TIMES * seconds > SECONDS || clock() - began > SECONDS_WITH_COMPILING) break
  }
  return best
}

/** Seconds of the fastest of a few products; reading one number waits for an engine that queues its work. */
async function productSeconds(backend: Backend, side: number, clock: Clock): Promise<number> {
  const [x, weight] = [full([side, side], 0.5, { backend }), full([side, side], 0.5, { backend })]
  try {
    let fastest = Infinity
    for (let i = 0; i < TIMES; i++) {
      const began = clock()
      const corner = scope(() => slice(slice(linear(x, weight, null), 0, 0, 1), 1, 0, 1))
      await corner.data()
      fastest = Math.min(fastest, clock() - began)
      corner.dispose()
    }
    // A clock may be too coarse for a small product.
    return Math.max(fastest, 1e-9)
  } finally {
    dispose([x, weight])
  }
}
