import { assert, expect, test } from 'vitest'
import { compilerVersion } from '../../../tools/wasm/compile.js'
import { testNeeding } from '../../../test/require.js'
import { placeSums, ROOM_START, sharedRoom } from '../src/node/threads/sums.js'
import { base64, compiler as recorded } from '../src/node/threads/sums-module.js'
import { buildSums } from '../tools/build-sums.js'

const compiler = ['clang-16', 'clang'].find((name) => compilerVersion(name) === recorded)

const testModule = testNeeding('clang', compiler !== undefined, `no ${recorded}, which made the module of sums`)

testModule('the module is what the recorded compiler makes of csrc', () => {
  assert(buildSums(compiler!).toString('base64') === base64)
})

// Numbers of very different sizes, so that another order or precision of the sum shows; lengths that are no multiple of a vector.
const value = (rank: number, i: number) => Math.sin(7 * rank + i) * 10 ** (((5 * rank + i) % 13) - 6)

test.each([
  [1, 5],
  [2, 4],
  [2, 1027],
  [3, 6],
  [5, 1027],
])('sums of %i ranks, %i numbers, are those in double precision, rounded once', (size, length) => {
  const kinds = [Float32Array, Float64Array]
  for (const Numbers of kinds) {
    const stride = 8 * 2000
    const memory = sharedRoom(size * stride)
    // Eight bytes on: a share of a chunk is not at a multiple of a vector.
    const places = Array.from(
      { length: size },
      (_, rank) => new Numbers(memory.buffer, ROOM_START + 8 + rank * stride, length),
    )
    places.forEach((place, rank) => place.set(Array.from({ length }, (_, i) => value(rank, i))))
    const want = new Numbers(length)
    for (let i = 0; i < length; i++) want[i] = places.reduce((sum, place) => sum + place[i], 0)
    placeSums(memory)(places[0], places)
    expect([...places[0]]).toEqual([...want])
    const behind = new Numbers(memory.buffer, places[0].byteOffset + places[0].byteLength, 4)
    expect([...behind]).toEqual([0, 0, 0, 0])
  }
})

test('of two ranks -0 stays -0, and what is not finite spreads', () => {
  const memory = sharedRoom(256)
  const places = [0, 1].map((rank) => new Float32Array(memory.buffer, ROOM_START + 128 * rank, 6))
  places[0].set([-0, Infinity, Infinity, NaN, -0, 3e38])
  places[1].set([-0, 1, -Infinity, 1, -0, 3e38])
  placeSums(memory)(places[1], places)
  expect([...places[1]]).toEqual([-0, Infinity, NaN, NaN, -0, Infinity])
})
