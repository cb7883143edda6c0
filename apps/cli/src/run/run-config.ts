import type { TrainRecipe } from '@dit/train-ddp'
import type { EngineDescription } from '../engines/open-engine.js'
import type { FromConfig } from '../fine-tune/from-config.js'
import type { EvaluationConfig } from '../in-training/evaluation-config.js'
import type { HeldOutConfig } from './held-out.js'
import type { ObjectiveConfig } from './objective-config.js'

export const RUN_FORMAT = 'dit-run-2'
/** Formats that are read: runs of the first go on as runs of the second. */
export const READ_FORMATS: readonly unknown[] = ['dit-run-1', RUN_FORMAT]
export const CONFIG_FILE = 'config.json'
/** There while a process writes to the run, and after one that was killed. */
export const LOCK_FILE = 'lock.json'

/** What a network is told of pictures beside a folder's classes, with what shows that it is the same at a resume. */
export interface DataConditions {
  /** As `--conditions` said: names with commas between, or `all`. */
  readonly asked: string
  /** SHA-256 over labels, lengths and some of the rows. */
  readonly sha256: string
}

/** Training pictures, with what shows that they are the same ones at a resume. */
export type DataConfig =
  | {
      /** Drawn by dit. */
      readonly kind: 'shapes' | 'sprites'
      readonly size: number
      /** Number of examples. */
      readonly length: number
      readonly seed: number
    }
  | {
      /** A folder of class folders, or tar shards. */
      readonly kind: 'folder' | 'shards'
      /** Absolute, as a run may be resumed from anywhere. Of shards also a list in braces, or several joined by `::`. */
      readonly folder: string
      readonly size: number
      readonly length: number
      readonly skipBad: boolean
      /**
       * What transparent pictures are put on, `#rrggbb`; null drops their alpha. Absent in runs from before there was a choice: alpha
       * is dropped there, and the folder is read by its first rules.
       */
      readonly background?: string | null
      /** Pixels of the largest picture, where a limit was given. */
      readonly maxPixels?: number
      /** SHA-256 over the names and sizes of the files, in order; of shards over the labels, too. */
      readonly files: string
      /** SHA-256 over the contents of so many files, spread over all, or of all. Absent in older runs. */
      readonly contents?: { readonly files: number | 'all'; readonly sha256: string }
      /** Absent where the network is told the class. */
      readonly conditions?: DataConditions
    }
  | {
      readonly kind: 'latents'
      /** What `dit encode` has written. */
      readonly folder: string
      /** Side of the latents. */
      readonly size: number
      readonly channels: number
      readonly length: number
      /** SHA-256 of the manifest, which has those of the files. */
      readonly files: string
      /** Absent where the network is told the class. */
      readonly conditions?: DataConditions
    }
  | {
      /** The data set that a module exports. */
      readonly kind: 'dataset'
      /** Absolute. */
      readonly module: string
      readonly size: number
      readonly length: number
      /** SHA-256 over the classes and some of the pictures. */
      readonly pictures: string
    }
  /** Whatever the module of the objective makes. */
  | { readonly kind: 'module' }

/** Pictures in files. */
export type PictureData = Extract<DataConfig, { kind: 'folder' | 'shards' }>

export function isPictureData(data: DataConfig): data is PictureData {
  return data.kind === 'folder' || data.kind === 'shards'
}

/** `config.json` of a run: everything needed to repeat it. */
export interface RunConfig {
  readonly format: typeof RUN_FORMAT
  /** The named size that the model began from, or null. */
  readonly modelName: string | null
  readonly objective: ObjectiveConfig
  /** The weights that the run began from; absent where it began anew. */
  readonly from?: FromConfig
  readonly recipe: TrainRecipe
  readonly data: DataConfig
  /** Class names; a label is an index into them. */
  readonly classes: readonly string[]
  /** Pictures are mirrored at random. */
  readonly flip: boolean
  /** Pictures that are held out; absent means none. */
  readonly heldOut?: HeldOutConfig
  /** What is measured of samples; absent means nothing. */
  readonly evaluation?: EvaluationConfig
  readonly seed: number
  readonly steps: number
  /** How the number of steps came about, where it was not given: as many as fit into minutes, or epochs. Changes nothing. */
  readonly stepsFrom?: { readonly minutes?: number; readonly secondsPerStep?: number; readonly epochs?: number }
  readonly checkpoint: { readonly every: number; readonly keepLast: number; readonly keepEvery: number | null }
  /** Steps between sample grids; null for none. */
  readonly sampleEvery: number | null
  /** `report.html` is written; absent means yes. */
  readonly report?: boolean
  /** Event files for TensorBoard are written; absent means no. */
  readonly tensorboard?: boolean
  /** Blocks that are computed twice instead of stored: none, all, or so many. */
  readonly recompute: 'none' | 'block' | number
  /** Workers hold parts of the moments and averages; absent means no. */
  readonly shardOptimizer?: boolean
  /** Every worker writes a part of each checkpoint; absent means that rank 0 writes all. */
  readonly shardCheckpoint?: boolean
  readonly engine: EngineDescription
  readonly versions: { readonly dit: string; readonly node: string; readonly platform: string; readonly arch: string }
}
