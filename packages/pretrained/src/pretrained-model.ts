/** Settings that make the best pictures of a model: options of `pictures`, `sample` and `batches` of a pipeline. */
export interface UsualSampling {
  /** `ddim` of a student of few steps, which knows nothing else. */
  readonly sampler: 'dpmpp-2m' | 'ddim'
  readonly steps: number
  readonly guidance: number
}

/** A model of this package, before anything of it is read. */
export interface PretrainedModel {
  /** `@dit/pretrained/<name>` opens it in Node. */
  readonly name: string
  /** Its file of weights, beside this package: an address in a page, a `file:` URL in Node. `openPipeline` takes either. */
  readonly weights: URL
  readonly sampling: UsualSampling
}
