/** The header of one tensor `a`, and its bytes. */
export const twoFloats = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
export const oneAndMinusTwo = Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0)

/** The header of tensors `a`, `b`, ... given as [dtype, shape, start, end]; shapes and offsets as JSON text. */
export function headerOf(...tensors: [string, string, string][]): string {
  const fields = tensors.map(
    ([dtype, shape, offsets], i) =>
      `"${String.fromCharCode(97 + i)}":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`,
  )
  return `{${fields.join(',')}}`
}
