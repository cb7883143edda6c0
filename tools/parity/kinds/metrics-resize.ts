import { FID_PREPROCESSINGS, networkInput, type Raster, resize, type ResizeMethod } from '@dit/features'
import type { Fixture } from '../fixture.js'
import type { Case } from '../manifest.js'
import { type KindRunner, type Outcome, throws } from '../outcome.js'
import { pictureFormula } from '../picture-formula.js'

const METHODS: Readonly<Record<string, ResizeMethod>> = {
  'out.tf1_bilinear': 'tf1-bilinear',
  'out.half_pixel_bilinear': 'half-pixel-bilinear',
  'out.clean_bicubic': 'clean-bicubic',
  'out.pillow_bicubic_bytes': 'pillow-bicubic',
}

/** Pictures at another size, by every program's rule; of large ones the rows that the case keeps. */
export const resizing: KindRunner = async (entry, fixture, outcome) => {
  if (entry.name === 'preprocess') return preprocessing(outcome)
  const image = pictureOf(entry, fixture)
  const [height, width] = entry.config.to as [number, number]
  const { rows } = entry.config as { rows: 'all' | number[] }
  const rowSize = width * image.channels
  for (const { name, role } of entry.tensors!) {
    if (role !== 'expected' || METHODS[name] === undefined) continue
    const result = resize(image, [height, width], METHODS[name])
    const kept =
      rows === 'all' ? result : rows.flatMap((row) => [...result.subarray(row * rowSize, (row + 1) * rowSize)])
    outcome.set(name, kept)
  }
  outcome.fact(
    'refuses a picture without rows',
    throws(() => resize({ ...image, height: 0, pixels: new Uint8Array() }, [height, width], 'tf1-bilinear')),
  )
}

/** What the facts say of each program: how it normalises, and that none of them rounds to bytes in between. */
function preprocessing(outcome: Outcome): void {
  const bytes = [0, 1, 128, 255]
  const pixels = Uint8Array.from(bytes.flatMap((byte) => [byte, byte, byte]))
  const pictures = { count: bytes.length, height: 1, width: 1, pixels }
  for (const [program, settings] of Object.entries(FID_PREPROCESSINGS)) {
    const normalise = program === 'pytorch-fid' ? (x: number) => x / 127.5 - 1 : (x: number) => (x - 128) / 128
    const made = networkInput(pictures, settings)
    const size = made.length / bytes.length
    const isRight = bytes.every((byte, i) => Math.abs(made[i * size] - normalise(byte)) <= 2 ** -23)
    outcome.fact(`normalises as ${program}`, isRight)
    const slope = networkInput({ count: 1, height: 1, width: 2, pixels: Uint8Array.of(0, 0, 0, 9, 9, 9) }, settings)
    const levels = new Set(slope.subarray(0, 299))
    outcome.fact(`does not round after resizing as ${program}`, levels.size > 10)
  }
}

/** The picture of a case, stored or made by its formula; `[H, W]` is a grey one. */
function pictureOf({ config, tensors }: Case, fixture: Fixture): Raster {
  if (fixture.has('in.image')) {
    const [height, width, channels = 1] = fixture.shape('in.image')
    return { height, width, channels, pixels: Uint8Array.from(fixture.values('in.image')) }
  }
  const [height, width] = config.from as [number, number]
  const [, , channels = 1] = tensors![0].shape!
  const value = pictureFormula(config.picture as string)
  const pixels = Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const place = Math.floor(i / channels)
    return value({ y: Math.floor(place / width), x: place % width, c: i % channels })
  })
  return { height, width, channels, pixels }
}
