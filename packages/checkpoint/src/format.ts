/**
 * The format of a file of weights, from its first bytes; null where it is neither.
 *
 * A safetensors file begins with the length of its header, which may be any bytes, zip's and pickle's magic among them: but
 * the upper bytes of a sensible length are zero, and a brace follows.
 */
export function detectFormat(head: Uint8Array): 'safetensors' | 'torch' | null {
  if (head.length > 8 && head[8] === 0x7b && head[5] + head[6] + head[7] === 0) return 'safetensors'
  return looksLikeTorch(head) ? 'torch' : null
}

function looksLikeTorch(head: Uint8Array): boolean {
  const isPickle = head[0] === 0x80 && head[1] >= 2 && head[1] <= 5 // opcode PROTO, protocols 2 to 5
  const isZip = head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5)
  return isPickle || isZip
}

/** How the magic number of torch's old format begins where its pickle is text. */
const OLD_MAGIC = 'L11954703714603'

/** What a file may be that is known not to be safetensors, from its first bytes. */
export function describeFormat(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head.subarray(0, 16))
  if (looksLikeTorch(head)) return 'this looks like a PyTorch .pt file'
  if (text.startsWith(OLD_MAGIC)) {
    return 'this looks like a PyTorch .pt file with a pickle of protocol 0 or 1; save it again with torch.save(..., pickle_protocol=2)'
  }
  // Version of the format, then the program that wrote it: what nothing else begins with.
  if (head[0] === 0x08 && head[1] < 0x20 && head[2] === 0x12)
    return 'this looks like an ONNX file, which is for other runtimes'
  if (text.startsWith('version ')) return 'this looks like a Git LFS pointer, not like the file itself'
  if (/^\s*</.test(text)) return 'this looks like a web page, not like a file of weights'
  if (/^(?:\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP)/s.test(text)) return 'this looks like a picture'
  if (text.startsWith('\x93NUMPY')) return 'this looks like an npy file'
  return undefined
}
