import type { FeatureExtractor } from '@dit/features'
import type { Backend } from '@dit/tensor'
import { openExtractorOf } from '../evaluate/open-extractor.js'
import { UsageError } from '../terminal/errors.js'

/**
 * The extractor that `--eval-extractor` means, as `--extractor` of `dit eval` does.
 *
 * @throws UsageError for a file that is not there, or is of no network that is known
 */
export async function openTrainingExtractor(text: string, backend: Backend): Promise<FeatureExtractor> {
  try {
    return await openExtractorOf(text, backend)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(error.message.replace('--extractor', '--eval-extractor'), { cause: error })
  }
}
