import { type FeatureExtractor, smallExtractor } from '@dit/features'
import { openExtractor } from '@dit/features/node'
import type { Backend } from '@dit/tensor'
import { onnxRuntime } from './onnx-runtime.js'
import { onnxSettings } from './onnx-settings.js'
import { UsageError } from '../terminal/errors.js'

/** Extractors that need no file. Tests put others in their place. */
export const NAMED_EXTRACTORS: Record<string, () => FeatureExtractor> = { small: smallExtractor }

/** Prefixes that say what a file must be, and how names of such extractors begin. */
const KINDS: Readonly<Record<string, string>> = {
  inception: 'inception-v3',
  'efficientnet-lite0': 'efficientnet-lite0',
  onnx: '',
}

/**
 * The extractor that `--extractor` means: `small`, a file, or `inception=<file>` where the kind is to be checked.
 *
 * @throws UsageError for a file that is not there, or is of another network
 */
export async function openExtractorOf(text: string, backend: Backend): Promise<FeatureExtractor> {
  if (Object.hasOwn(NAMED_EXTRACTORS, text)) return NAMED_EXTRACTORS[text]()
  const at = text.indexOf('=')
  const kind = at < 0 ? null : text.slice(0, at)
  if (kind !== null && !Object.hasOwn(KINDS, kind)) {
    throw new UsageError(
      `--extractor ${text}: give ${Object.keys(NAMED_EXTRACTORS).join(', ')}, a file, or one of ${Object.keys(KINDS).join(', ')} with =<file>`,
    )
  }
  const extractor = await openFile(text, text.slice(at + 1), backend)
  if (kind !== null && !extractor.name.startsWith(KINDS[kind])) {
    extractor.dispose()
    throw new UsageError(`--extractor ${text}: the file holds ${extractor.name}, not ${kind}`)
  }
  return extractor
}

async function openFile(text: string, path: string, backend: Backend): Promise<FeatureExtractor> {
  try {
    return await openExtractor(path, {
      backend,
      onnx: async () => ({ ...(await onnxSettings(path)), runtime: await onnxRuntime(path) }),
    })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(`--extractor ${text}: ${error.message.replace(/^\w+: /, '')}`, { cause: error })
  }
}
