// @ts-check
import { heroesDataset } from './heroes-dataset.mjs'

/** Endless dolls for `dit train --data tools/data-sets/heroes.mjs`; HERO_PARTS names the folder of their parts. */
export function dataset() {
  const parts = process.env.HERO_PARTS
  if (parts === undefined)
    throw new Error('set HERO_PARTS to the folder `player` of the tiles; docs/data-sets.md says where to get it')
  return heroesDataset({ parts, length: 2_000_000 })
}
