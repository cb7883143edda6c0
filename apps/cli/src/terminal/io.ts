/** A stream that takes text; `process.stdout` is one. */
export interface TextSink {
  write(text: string): unknown
  /** Width of a terminal; undefined elsewhere. */
  readonly columns?: number
}

/** Where a call of `dit` writes; `process` is one. */
export interface Io {
  readonly stdout: TextSink
  readonly stderr: TextSink
}

/** One call of `dit`: where it writes, and the exit code that its command leaves. */
export interface Call extends Io {
  exitCode: number
}
