/**
 * Moves a time towards the noise (shift above 1) or the data (below 1); 0 and 1 stay.
 *
 *   t' = shift t / (1 + (shift - 1) t)        snr' = snr / shift^2 on the `linear` flow
 *
 * Larger pictures need more noise to hide the same content, hence a larger shift. Translations: the shift of SD3 and diffusers is
 * this one. LightningDiT's is its inverse, because its time is 1 - t. diffusers' exponential shift by mu is exp(mu).
 *
 * @throws RangeError unless the shift is positive and finite
 *
 * Esser et al. 2024, "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis", eq. 23.
 */
export function shiftTime(t: number, shift: number): number {
  checkShift('shiftTime', shift)
  return (shift * t) / (1 + (shift - 1) * t)
}

/** Throws unless a shift is positive and finite. */
export function checkShift(caller: string, shift: number): void {
  if (!(shift > 0 && shift < Infinity)) {
    throw new RangeError(`${caller}: shift must be positive and finite (got ${shift})`)
  }
}
