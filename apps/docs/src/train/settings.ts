import type { DiTConfig } from '@dit/model'
import type { KnownSpec, TrainRecipe } from '@dit/train-ddp'
import { picturesRecipe } from '@dit/train-ddp'

/** What a page can learn from. */
export type PageData = 'shapes' | 'sprites' | 'pictures'

/** A training in the page: all that decides its weights, kept beside its checkpoints. */
export interface PageSettings {
  readonly format: 'dit-page-run-1'
  readonly data: PageData
  readonly classes: readonly string[]
  /** Side of the pictures in pixels. */
  readonly size: number
  readonly steps: number
  readonly seed: number
  /** Name of the file of weights that it began from; absent where it began from new ones. */
  readonly from?: string
  /** Of a run of `dit train`: what differs from a training that began in the page. */
  readonly run?: PageRun
}

/** What decides the weights of a run of `dit train`, beside its seed, steps and data. */
export interface PageRun {
  readonly objective: KnownSpec
  readonly recipe: TrainRecipe
  /** Pictures that were generated, and the seed of them. */
  readonly length: number
  readonly dataSeed: number
  /** Pictures are mirrored at random. */
  readonly flip: boolean
  /** Of the pictures, those that it does not train on. */
  readonly heldOutShare?: number
}

/** The pictures of a visitor: bytes, `[count, 3, size, size]`, with the class of each. */
export interface PagePictures {
  readonly classes: readonly string[]
  readonly labels: Int32Array
  readonly pixels: Uint8Array
}

/** Side of the pictures of each kind: shapes are told apart at 16. */
export const SIZES: Readonly<Record<PageData, number>> = { shapes: 16, sprites: 32, pictures: 32 }

/** Fewest pictures that something is held out of. */
export const FEWEST_PICTURES = 8

/** A DiT that one thread of WebAssembly trains at some steps a second: 16 tokens a picture. */
export function pageModel({ size, classes }: Pick<PageSettings, 'size' | 'classes'>): DiTConfig {
  return {
    inputSize: size,
    patchSize: size / 4,
    inChannels: 3,
    hiddenSize: 128,
    depth: 3,
    numHeads: 4,
    mlpRatio: 4,
    numClasses: classes.length,
    classDropout: 0.1,
    learnSigma: false,
  }
}

/** Predicts the picture, which large patches need: docs/choosing.md. */
export const PAGE_PROCESS: KnownSpec['process'] = {
  kind: 'gaussian',
  schedule: 'squaredcos_cap_v2',
  numTimesteps: 1000,
  meanType: 'x0',
  varianceType: 'fixedSmall',
  lossType: 'mse',
}

/** The recipe of `dit train` for small pictures, with fewer of them a step: something is to be seen soon. */
export const PAGE_RECIPE: TrainRecipe = {
  ...picturesRecipe,
  name: 'page',
  batchSize: 16,
  warmupSteps: 50,
  emaDecay: 0.99,
}

/** Steps between two looks: samples, the held-out error, and a checkpoint. */
export const LOOK_EVERY = 50
