import type { Dataset } from '@dit/data'

export declare const SPECIES: Readonly<Record<string, RegExp>>

export declare function heroesDataset(options: {
  readonly parts: string
  readonly length: number
  readonly seed?: number
}): Promise<Dataset>
