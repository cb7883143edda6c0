import { zipSync } from 'fflate'

/** Pickles byte by byte, for what torch would never write. Parts are bytes, or text that stands for its own bytes. */
export function pickle(...parts: readonly (number | string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from([0x80, 2, parts, '.'].flat(2).flatMap(bytesIn))
}

export function bytesIn(part: number | string | Uint8Array): number[] {
  if (typeof part === 'number') return [part]
  return typeof part === 'string' ? [...new TextEncoder().encode(part)] : [...part]
}

/** A string on the stack. */
export function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value)
  return Uint8Array.from([0x58, ...bytesOfUint32(bytes.length), ...bytes])
}

/** An integer on the stack. */
export function int(value: number | bigint): Uint8Array {
  if (typeof value === 'number' && value >= 0 && value < 256) return Uint8Array.of(0x4b, value)
  const bytes: number[] = []
  for (let rest = BigInt(value), i = 0; i < 9; i++, rest >>= 8n) bytes.push(Number(rest & 255n))
  return Uint8Array.of(0x8a, bytes.length, ...bytes)
}

export function bytesOfUint32(value: number): number[] {
  return [...new Uint8Array(Uint32Array.of(value).buffer)]
}

export interface BuiltTensor {
  readonly key?: string
  readonly count?: number | bigint
  readonly type?: string
  readonly offset?: number | bigint
  readonly shape?: readonly (number | bigint)[]
  readonly strides?: readonly (number | bigint)[]
  readonly location?: string
}

/** A tensor on the stack, by default two float32 of storage "0". */
export function tensor({
  key = '0',
  count = 2,
  type = 'torch\nFloatStorage\n',
  offset = 0,
  shape = [2],
  strides = [1],
  location = 'cpu',
}: BuiltTensor = {}): Uint8Array {
  const tuple = (items: readonly (number | bigint)[]) => ['(', ...items.map(int), 't']
  const storage = ['(', text('storage'), 'c', type, text(key), text(location), int(count), 'tQ']
  const args = ['(', ...storage, int(offset), ...tuple(shape), ...tuple(strides), 0x89, '}t']
  return Uint8Array.from(['ctorch._utils\n_rebuild_tensor_v2\n', ...args, 'R'].flatMap(bytesIn))
}

/** A zip as torch writes it, stored unless `level` says otherwise. */
export function torchZip(
  data: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = { 0: new Uint8Array(8) },
  more: Readonly<Record<string, Uint8Array>> = {},
  level: 0 | 6 = 0,
): Uint8Array {
  const files = Object.entries(storages).map(([key, bytes]) => [`a/data/${key}`, bytes] as const)
  return zipSync({ 'a/data.pkl': data, ...Object.fromEntries(files), ...more }, { level, mtime: new Date(1980, 0, 1) })
}
