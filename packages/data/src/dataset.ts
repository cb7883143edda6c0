/** A batch of training pictures. `B` is the number of indices asked for. */
export interface Batch {
  /** clean pictures, `[B, C, H, W]`, float32 in [-1, 1] */
  readonly x0: Float32Array
  /** class of each picture, `[B]`, int32, an index into `classes` */
  readonly labels: Int32Array
  /** what else a dataset has of its pictures, such as captions, by name */
  readonly arrays?: Readonly<Record<string, BatchArray>>
}

/** Values of one kind, those of the pictures one after the other. */
export interface BatchArray {
  readonly data: Float32Array | Int32Array
  /** of one picture; `[]` for a number */
  readonly shape: readonly number[]
}

/** What `Dataset.read` may be told beside the indices. */
export interface ReadOptions {
  /** one flag per index: 1 mirrors that picture left to right (default: none) */
  readonly flips?: ArrayLike<number>
  /** stops the reading; the promise rejects with the signal's reason */
  readonly signal?: AbortSignal
}

/**
 * Training pictures that can be read by index.
 *
 * Reading has no hidden position: the same indices and flips give the same batch, in any order and from any number of
 * callers at once.
 */
export interface Dataset {
  /** number of pictures */
  readonly length: number
  /** class names; a label is an index into this list */
  readonly classes: readonly string[]
  /** shape of one picture, `[C, H, W]` */
  readonly shape: readonly [channels: number, height: number, width: number]
  /** The pictures at `indices`, in that order. */
  read(indices: ArrayLike<number>, options?: ReadOptions): Promise<Batch>
  /** class of every picture, `[length]`, where it is known without reading them; made anew at each call */
  labels?(): Int32Array
  /** Frees threads and memory, where the dataset holds any. */
  close?(): Promise<void>
}
