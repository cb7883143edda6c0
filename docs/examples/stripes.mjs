// A data set of one's own: dit train --data docs/examples/stripes.mjs --size 16
import { randomStream, uniforms } from '@dit/random'

export const dataset = ({ size }) => ({
  length: 1_000_000, // pictures are made when they are read, so that many cost nothing
  classes: ['flat', 'steep'],
  shape: [3, size, size],
  labels: () => Int32Array.from({ length: 1_000_000 }, (_, index) => index % 2),
  async read(indices, { flips } = {}) {
    const x0 = new Float32Array(indices.length * 3 * size * size)
    for (let row = 0; row < indices.length; row++) {
      draw(indices[row], size, flips?.[row] === 1, x0.subarray(row * 3 * size * size, (row + 1) * 3 * size * size))
    }
    return { x0, labels: Int32Array.from(indices, (index) => index % 2) }
  },
})

/** Waves of one direction between two colours; the index alone decides them. */
function draw(index, size, isMirrored, picture) {
  const [phase, pitch, ...colours] = uniforms(randomStream(0, 'stripes', index), 8)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const along = index % 2 === 0 ? y : isMirrored ? size - 1 - x : x
      const share = 0.5 + 0.5 * Math.sin(6.283 * (phase + (along / size) * (1 + 3 * pitch)))
      for (let channel = 0; channel < 3; channel++) {
        const value = share * colours[channel] + (1 - share) * colours[channel + 3]
        picture[(channel * size + y) * size + x] = 2 * value - 1
      }
    }
  }
}
