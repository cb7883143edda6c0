import { ImageFolderError, TarShardsError } from '@dit/data/node'
import { UsageError } from '../terminal/errors.js'
import { formatCount } from '../terminal/format.js'
import type { Output } from '../terminal/output.js'
import { type Progress, showProgress } from '../terminal/progress.js'

/** Milliseconds between lines while pictures are searched. */
const SEARCH_INTERVAL = 5000

/** Says from time to time how many pictures were found. */
export function searchLines(data: string, output: Pick<Output, 'line'>): (numFound: number) => void {
  let said = performance.now()
  return (numFound) => {
    if (performance.now() - said < SEARCH_INTERVAL) return
    said = performance.now()
    output.line(`searching ${data}: ${formatCount(numFound)} pictures so far`)
  }
}

/** Shows how many pictures were checked. */
export function checkingProgress(output: Output) {
  let progress: Progress | null = null
  return {
    onProgress: ({ done, total }: { readonly done: number; readonly total: number }) => {
      progress ??= showProgress(output, { total, unit: 'pictures', isPlainShown: 'when slow' })
      progress.update(done, 'checking')
    },
    stop: () => progress?.stop(),
  }
}

/** @throws UsageError in place of what is wrong with pictures, with options by their names here */
export function inFlags(error: unknown): never {
  if (!(error instanceof ImageFolderError || error instanceof TarShardsError)) throw error
  const text = error.message
    .replace(/^open(ImageFolder|TarShards): /, '--data: ')
    .replace(/^readClassNames: /, '--class-names: ')
    .replace('with skipBad', 'with --skip-bad')
    .replace('give the names of all classes', 'name all classes with --class-names')
  throw new UsageError(reasonInFlags(text), { cause: error })
}

/** A reason with the option by its name here. */
export function reasonInFlags(text: string): string {
  return text.replaceAll('raise maxPixels', 'raise --max-pixels')
}
