import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import { formatDuration } from './format.js'
import type { Output } from './output.js'
import { asTyped } from './as-typed.js'
import { printable } from './printable.js'

/** Progress of counted work: a bar on a terminal, a plain line now and then elsewhere. */
export interface Progress {
  /** Tells how many are done, with a few words on the state. */
  update(done: number, state: string): void
  /** A line among the progress. */
  line(text: string): void
  /** Something the user should know, among the progress; see `Output`. */
  notice(text: string): void
  /** Ends the display; may be called twice. */
  stop(): void
}

export interface ProgressOptions {
  readonly total: number
  /** Done before: not counted in the rate. */
  readonly start?: number
  /** What is counted: 'steps'. */
  readonly unit: string
  /** What the rate tells of in place of the unit: 'pictures', and how many of them each counted piece is. */
  readonly rate?: { readonly unit: string; readonly each: number }
  /** Seconds between plain lines. */
  readonly interval?: number
  /** Off for work that is only worth telling about on a terminal, or before it takes long (default true). */
  readonly isPlainShown?: boolean | 'when slow'
}

/**
 * Shows progress on the output: nothing where it is quiet or JSON; on a terminal a bar with rate and time left; otherwise
 * (pipes, CI) the first and the last count and a line every `interval` seconds.
 */
export function showProgress(output: Output, options: ProgressOptions): Progress {
  const { terminal, isQuiet } = output
  const hasBar = terminal !== null && !isQuiet && process.env.CI === undefined && process.env.TERM !== 'dumb'
  return hasBar ? bar(output, terminal, options) : plainLines(output, options)
}

/** Rate and time left, from the time since the first call. */
function meter({ total, start = 0, unit: counted, rate: told }: ProgressOptions): (done: number) => string {
  const began = performance.now()
  const { unit, each } = told ?? { unit: counted, each: 1 }
  return (done) => {
    const seconds = (performance.now() - began) / 1000
    const rate = (done - start) / seconds
    if (!(rate > 0) || !Number.isFinite(rate)) return ''
    const shown = rate * each
    const speed =
      shown >= 1 ? `${rounded(shown)} ${unit}/s` : `${(1 / shown).toPrecision(3)} s/${unit.replace(/s$/, '')}`
    return `${speed}  ${done >= total ? `${formatDuration(seconds)} in total` : `${formatDuration((total - done) / rate)} left`}`
  }
}

/** Three digits, and whole numbers from a hundred on. */
function rounded(rate: number): string {
  return rate >= 100 ? Math.round(rate).toLocaleString('en') : rate.toPrecision(3)
}

function bar(output: Output, stream: NodeJS.WriteStream, options: ProgressOptions): Progress {
  const { total, start = 0 } = options
  const speed = meter(options)
  const bars = new MultiBar(
    {
      stream,
      format: '{bar} {value}/{total}  {state}  {speed}',
      hideCursor: true,
      barsize: 24,
      fps: 5,
      linewrap: false,
      gracefulExit: false,
    },
    Presets.shades_classic,
  )
  const single: SingleBar = bars.create(total, start, { state: '', speed: '' })
  let isStopped = false
  return {
    update: (done, state) => single.update(done, { state, speed: speed(done) }),
    line: (text) => (isStopped ? output.line(text) : bars.log(`${printable(text)}\n`)),
    notice: (text) => (isStopped ? output.notice(text) : bars.log(`dit: ${printable(asTyped(text))}\n`)),
    stop() {
      if (isStopped) return
      isStopped = true
      // Lines that wait for the next redraw would be lost.
      bars.update()
      bars.stop()
    },
  }
}

function plainLines(output: Output, options: ProgressOptions): Progress {
  const { total, start = 0, interval = 10, isPlainShown = true } = options
  const speed = meter(options)
  const width = String(total).length
  const isLate = isPlainShown === 'when slow'
  let last = isLate ? performance.now() / 1000 : -Infinity
  return {
    update(done, state) {
      const now = performance.now() / 1000
      if (isPlainShown === false) return
      const isEnd = done >= total || done <= start + 1
      if ((isLate || !isEnd) && now - last < interval) return
      last = now
      output.line(
        [`${String(done).padStart(width)}/${total}`, state, speed(done)].filter((part) => part !== '').join('  '),
      )
    },
    line: (text) => output.line(text),
    notice: (text) => output.notice(text),
    stop() {},
  }
}
