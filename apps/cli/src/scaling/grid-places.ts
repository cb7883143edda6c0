import { resolve } from 'node:path'

/** A copy of the grid, in the folder of its results. */
export const GRID_FILE = 'grid.json'
/** Folder of the runs. */
export const RUNS_FOLDER = 'runs'
/** Table of results, written after each run. */
export const RESULTS_FILE = 'results.csv'
/** Where the runner keeps what it knows of a run: beside its folder, which must be empty when the run begins. */
export const noteOf = (folder: string) => `${resolve(folder)}.json`

/** What the runner knows of a run. */
export interface RunNote {
  /** Nominal multiply-adds of the training. */
  readonly budget: number
  /** Multiply-adds of a forward pass for one example. */
  readonly multiplyAdds?: number
  /** Trained parameters. */
  readonly params?: number
  /** Options of `dit train` that the run was begun with. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Its loss was not finite, and it is not tried again. */
  readonly diverged?: boolean
}
