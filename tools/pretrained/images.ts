import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Evaluation } from '@dit/evaluate'
import sharp from 'sharp'
import type { ModelSpec } from './model-spec.js'
import { gridPng, readPictures } from './pictures.js'

/** Samples of a class in its grid, and of each class in the overview. */
const [COLUMNS, ROWS, IN_OVERVIEW] = [12, 4, 6]
/** Samples that are shown beside their nearest training pictures: those that are nearest of all. */
const NEAREST = 12

/**
 * Draws `<model>.png` with some samples of each class in its column, `<model>-<class>.png` with more of one, and `<model>-nearest.png`: the samples
 * that are nearest to a training picture, above that picture. The first samples are shown, and none is chosen.
 */
export async function drawImages(
  { model, size }: ModelSpec,
  { samples, evaluation, out }: { readonly samples: string; readonly evaluation: string; readonly out: string },
): Promise<void> {
  const { classes, labels, pixels, count } = await readPictures(samples, size)
  const area = 3 * size * size
  const all = Array.from({ length: count }, (_, i) => pixels.subarray(i * area, (i + 1) * area))
  const ofClass = classes.map((_, label) => all.filter((_picture, i) => labels[i] === label))
  const write = async (name: string, rows: readonly (readonly Uint8Array[])[]) =>
    writeFile(join(out, `${name}.png`), await gridPng(rows, size))
  await write(
    model.name,
    Array.from({ length: IN_OVERVIEW }, (_, r) => ofClass.flatMap((some) => some.slice(r, r + 1))),
  )
  for (const [label, name] of classes.entries()) {
    const rows = Array.from({ length: ROWS }, (_, r) => ofClass[label].slice(r * COLUMNS, (r + 1) * COLUMNS))
    await write(
      `${model.name}-${name}`,
      rows.filter((row) => row.length > 0),
    )
  }
  const { nearest } = JSON.parse(await readFile(evaluation, 'utf8')) as Evaluation
  const pairs = nearest.slice(0, NEAREST).map(({ picture, neighbours }) => [picture, neighbours[0].picture])
  const [own, theirs] = await Promise.all(
    [0, 1].map(async (i) => Promise.all(pairs.map(async (pair) => rgbOf(pair[i])))),
  )
  await write(`${model.name}-nearest`, [own, theirs])
}

/** The pixels of a PNG in a data URL. */
async function rgbOf(url: string): Promise<Uint8Array> {
  const png = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
  return new Uint8Array(await sharp(png).toColourspace('srgb').removeAlpha().raw().toBuffer())
}
