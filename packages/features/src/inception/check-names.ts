import type { TensorFile } from '@dit/checkpoint'

const LAYER = 'Conv2d_1a_3x3.conv.weight'

/** Whether a file looks like an Inception v3 under the names of torchvision. */
export function isInception({ entries }: TensorFile): boolean {
  return entries.has(LAYER)
}

/**
 * Says it in words where a file is a well-known one that is mistaken for the FID Inception.
 *
 * @throws RangeError for torchvision's Inception, whose features are others
 */
export function checkInceptionNames(who: string, file: TensorFile): void {
  if (!isInception(file)) return
  const numClasses = file.entries.get('fc.weight')?.shape[0]
  const hasAuxiliary = [...file.entries.keys()].some((name) => name.startsWith('AuxLogits.'))
  if (numClasses === 1000 || hasAuxiliary) {
    throw new RangeError(
      `${who}: this is torchvision's Inception v3 (1000 classes of ImageNet); FID needs the network of 2015-12-05 with 1008: pt_inception-2015-12-05-6726825d.pth of pytorch-fid`,
    )
  }
}
