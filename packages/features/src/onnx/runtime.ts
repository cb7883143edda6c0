/** What is used of `onnxruntime-node` and `onnxruntime-web`, which the caller imports: neither is a dependency. */
export interface OnnxRuntime {
  readonly InferenceSession: { create(model: Uint8Array): Promise<OnnxSession> }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown
}

export interface OnnxSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  run(feeds: Record<string, never>, fetches: readonly string[]): Promise<Readonly<Record<string, unknown>>>
  release?(): Promise<void>
}

/** A result of a session. */
export interface OnnxValue {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: unknown
}
