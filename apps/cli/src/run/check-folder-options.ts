import { flagOf } from '../settings/flag-of.js'
import { isGeneratedName } from './generated-data.js'
import { hasModuleEnding } from './dataset-module.js'
import { UsageError } from '../terminal/errors.js'

/** Options that say how a folder of pictures is read. */
const FOLDER_OPTIONS = ['skipBad', 'background', 'maxPixels', 'checkFiles'] as const

/**
 * Checks that no option of folders is given where the pictures are drawn by dit itself.
 *
 * @param data that are trained on or encoded: `shapes`, `sprites`, or a folder
 * @throws UsageError naming the option
 */
export function checkFolderOptions(
  data: string,
  flags: { readonly [Name in (typeof FOLDER_OPTIONS)[number]]?: unknown },
): void {
  if (!isGeneratedName(data) && !hasModuleEnding(data)) return
  const given = FOLDER_OPTIONS.find((name) => flags[name] !== undefined && flags[name] !== false)
  if (given === undefined) return
  throw new UsageError(
    `${flagOf(given)} is for folders of pictures, but the data are ${isGeneratedName(data) ? `${data}, which dit draws` : `those of ${data}`}; leave it out, or name a folder`,
  )
}
