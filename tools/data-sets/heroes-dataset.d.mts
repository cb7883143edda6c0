import type { Dataset } from '@dit/data'

export declare const SPECIES: Readonly<Record<string, RegExp>>
export declare const TAILED: ReadonlySet<string>
export declare const LAYERS: readonly (readonly [folder: string, chance: number])[]
export declare const SIDE: number

export interface Part {
  readonly places: Uint16Array
  readonly colours: Uint8Array
}

export declare function readParts(parts: string): Promise<{
  readonly files: ReadonlyMap<string, readonly string[]>
  readonly drawn: ReadonlyMap<string, Part>
}>

export declare function bodiesOf(
  name: string,
  parts: string,
  files: ReadonlyMap<string, readonly string[]>,
): readonly string[]

export declare function compose(parts: readonly Part[], picture: Float32Array, isMirrored: boolean): void

export declare function heroesDataset(options: {
  readonly parts: string
  readonly length: number
  readonly seed?: number
}): Promise<Dataset>
