/** Ends of an interval. */
export interface Range {
  readonly low: number
  readonly high: number
}
